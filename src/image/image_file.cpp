// THE TABLE of picture formats, and the public functions that choose among them.
#include <algorithm>
#include <cctype>
#include <filesystem>

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/file_reader.h"
#include "image/exif.h"
#include "image/image_format.h"
#include "image/opacity.h"
#include "image/pixels.h"

namespace hayate {

namespace {

constexpr int64_t most_file_bytes = int64_t{256} << 20;

const std::vector<const ImageFormat*> formats = {&png_format, &jpeg_format, &webp_format};

const ImageFormat& format_for(const std::string& path) {
  std::string extension = std::filesystem::path(path).extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  for (const ImageFormat* format : formats)
    if (std::ranges::find(format->extensions, extension) != format->extensions.end()) return *format;
  fail(ErrorKind::usage, "{}: expected a name that ends in {}", path, fmt::join(image_extensions(), ", "));
}

const ImageFormat* format_of(std::string_view file) {
  auto found = std::ranges::find_if(formats, [&](const ImageFormat* format) { return format->recognises(file); });
  return found == formats.end() ? nullptr : *found;
}

}  // namespace

std::vector<std::string> image_extensions() {
  std::vector<std::string> all;
  for (const ImageFormat* format : formats) all.insert(all.end(), format->extensions.begin(), format->extensions.end());
  return all;
}

void check_image(const std::string& path, int width, int height, const std::string& infotext) {
  const ImageFormat& format = format_for(path);
  require(width > 0 && height > 0, ErrorKind::usage, "{}: a picture of {}x{} pixels; expected at least one a side", path, width, height);
  require(std::max(width, height) <= format.most_side, ErrorKind::unsupported, "{}: a picture of {}x{} pixels; a {} has at most {} a side", path,
          width, height, format.name, format.most_side);
  const size_t most = format.most_exif_bytes;
  require(most == 0 || make_exif(infotext, most).size() <= most, ErrorKind::unsupported,
          "{}: the settings of the picture, prompts included, take {} bytes; a {} holds {} characters, or twice as many if all are ASCII. Choose "
          "another format",
          path, infotext.size(), format.name, (most - exif_overhead) / 2);
}

std::vector<std::byte> encode_image(const std::string& name, const Image& image, const std::string& infotext, int quality) {
  const ImageFormat& format = format_for(name);
  check_image(name, image.width, image.height, infotext);
  require(image.rgb.size() == size_t(image.width) * size_t(image.height) * 3, ErrorKind::usage,
          "{}: a picture of {}x{} pixels cannot be made from {} bytes", name, image.width, image.height, image.rgb.size());
  require(quality >= 1 && quality <= 100, ErrorKind::usage, "{}: quality is {}; expected 1 to 100", name, quality);
  return format.encode(image, infotext, quality);
}

void write_image(const std::string& path, const Image& image, const std::string& infotext, int quality) {
  const std::vector<std::byte> bytes = encode_image(path, image, infotext, quality);
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

bool is_image_file(const std::string& path) {
  const FileReader file(path);
  std::string start(size_t(std::min<int64_t>(file.size(), 16)), '\0');
  file.read(0, std::as_writable_bytes(std::span(start)));
  return format_of(start) != nullptr;
}

ImageWithOpacity decode_with_opacity(std::string_view file, const std::string& what) {
  const ImageFormat* format = format_of(file);
  require(format != nullptr, ErrorKind::bad_file, "{}: not a picture in PNG, JPEG or WebP", what);
  Decoded decoded = format->decode(std::as_bytes(std::span(file)), what);
  if (std::ranges::all_of(decoded.opacity, [](uint8_t v) { return v == 255; })) decoded.opacity = {};
  Image image = upright(std::move(decoded.image), decoded.orientation, decoded.opacity);
  return {{format->name, std::move(image), std::move(decoded.infotext)}, std::move(decoded.opacity)};
}

ImageFile decode_image(std::string_view file, const std::string& what) { return decode_with_opacity(file, what).file; }

ImageFile read_image(const std::string& path) { return decode_image(read_text_file(path, most_file_bytes), path); }

}  // namespace hayate
