// What is left to the picture's decoder, which looks at sizes before it takes memory.
#include "server/upload.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "image/opacity.h"
#include "server/base64.h"

namespace hayate::server {

std::string file_of_base64(std::string_view text, const std::string& key) {
  if (const size_t comma = text.find(','); text.starts_with("data:") && comma != text.npos) text.remove_prefix(comma + 1);
  std::optional<std::string> file = from_base64(text);
  require(file.has_value(), ErrorKind::usage, "\"{}\" is not base64", key);
  return std::move(*file);
}

namespace {

Image grey(int width, int height, const std::vector<uint8_t>& values) {
  Image image{.width = width, .height = height, .rgb = {}};
  image.rgb.reserve(values.size() * 3);
  for (uint8_t v : values) image.rgb.insert(image.rgb.end(), 3, v);
  return image;
}

void invert(std::vector<uint8_t>& values) {
  for (uint8_t& v : values) v = uint8_t(255 - v);
}

Image mask_of(ImageWithOpacity decoded, MaskShows shows) {
  Image& image = decoded.file.image;
  if (shows == MaskShows::white || decoded.opacity.empty()) return std::move(image);
  image.rgb = {};
  if (shows == MaskShows::transparent) invert(decoded.opacity);
  return grey(image.width, image.height, decoded.opacity);
}

}  // namespace

StartPicture upload_start(const StartFiles& files, int64_t most_pixels) {
  const std::string key = "\"" + files.picture_key + "\"";
  ImageWithOpacity decoded = decode_with_opacity(files.picture, key);
  StartPicture start{.picture = std::move(decoded.file.image)};
  const int width = start.picture.width, height = start.picture.height;
  const bool is_own_mask = !files.mask && files.shows == MaskShows::transparent && !decoded.opacity.empty();
  if (!files.mask && !is_own_mask) return start;
  require(int64_t{width} * height <= most_pixels, ErrorKind::usage, "{} has {}x{} pixels, expected at most {} in all with a mask", key, width, height, most_pixels);
  if (is_own_mask) {
    decoded.file.image = {.width = width, .height = height, .rgb = {}};
  } else {
    decoded = decode_with_opacity(*files.mask, "\"mask\"");
    require(files.shows != MaskShows::transparent || !decoded.opacity.empty(), ErrorKind::usage,
            "\"mask\" has no transparent pixels; expected a picture that is transparent where it is drawn anew");
  }
  start.mask = resized(mask_of(std::move(decoded), files.shows), width, height);  // now: what waits is no larger
  if (files.inverted) invert(start.mask->rgb);
  return start;
}

void size_like(const Image& image, int64_t pixels, int64_t& width, int64_t& height) {
  constexpr int64_t unit = 8;
  const double root = std::sqrt(double(pixels) / (double(image.width) * image.height));
  auto side = [&](int own) { return std::max<int64_t>(unit, std::llround(own * root / unit) * unit); };
  width = side(image.width), height = side(image.height);
}

}  // namespace hayate::server
