// PNG through libpng. Its errors leave by longjmp, which must not cross anything with a destructor: encode_with_jumps() and the
// callbacks hold plain values only, and everything that needs destruction lives in encode_png().
#include "core/image_file.h"

#include <png.h>
#include <utf8proc.h>

#include <csetjmp>
#include <cstdio>
#include <optional>

#include "core/atomic_file.h"
#include "core/error.h"

namespace hayate {
namespace {

struct PngEncoder {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::vector<std::byte> file;
  char error[128] = "";

  ~PngEncoder() { png_destroy_write_struct(&png, &info); }
};

void on_error(png_structp png, png_const_charp message) {
  auto& error = static_cast<PngEncoder*>(png_get_error_ptr(png))->error;
  std::snprintf(error, sizeof error, "%s", message);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void on_bytes(png_structp png, png_bytep bytes, size_t count) {
  auto& file = static_cast<PngEncoder*>(png_get_io_ptr(png))->file;
  bool stored = false;
  try {
    auto begin = reinterpret_cast<const std::byte*>(bytes);
    file.insert(file.end(), begin, begin + count);
    stored = true;
  } catch (const std::bad_alloc&) {}
  if (!stored) png_error(png, "out of memory");
}

bool encode_with_jumps(PngEncoder& encoder, int width, int height, const uint8_t* rgb, png_text* text) {
  png_structp png = encoder.png;
  if (setjmp(png_jmpbuf(png))) return false;
  png_set_write_fn(png, &encoder, on_bytes, nullptr);
  png_set_IHDR(png, encoder.info, png_uint_32(width), png_uint_32(height), 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  png_set_compression_level(png, 2);  // on photographs a sixth of the default level's time for a sixth more bytes
  if (text) png_set_text(png, encoder.info, text, 1);
  png_write_info(png, encoder.info);
  for (int row = 0; row < height; ++row) png_write_row(png, rgb + size_t(row) * size_t(width) * 3);
  png_write_end(png, encoder.info);
  return true;
}

// The text in Latin-1, or nothing if that cannot hold it. Text that is not UTF-8 is taken for Latin-1 already: a strange prompt
// must not cost the picture.
std::optional<std::string> to_latin1(const std::string& text) {
  std::string latin1;
  bool fits = true;
  for (size_t i = 0; i < text.size();) {
    utf8proc_int32_t character = 0;
    auto bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data() + i);
    utf8proc_ssize_t length = utf8proc_iterate(bytes, utf8proc_ssize_t(text.size() - i), &character);
    if (length <= 0) return text;
    fits = fits && character <= 0xff;
    latin1 += char(character);
    i += size_t(length);
  }
  return fits ? std::optional(latin1) : std::nullopt;
}

}  // namespace

std::vector<std::byte> encode_png(int width, int height, std::span<const uint8_t> rgb, const std::string& infotext) {
  require(width > 0 && height > 0 && rgb.size() == size_t(width) * size_t(height) * 3, ErrorKind::usage,
          "a PNG of {}x{} pixels cannot be made from {} bytes", width, height, rgb.size());
  PngEncoder encoder;
  encoder.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &encoder, on_error, on_warning);
  if (encoder.png) encoder.info = png_create_info_struct(encoder.png);
  require(encoder.info != nullptr, ErrorKind::out_of_memory, "not enough memory to write a PNG");

  const std::optional<std::string> latin1 = to_latin1(infotext);
  std::string key = "parameters", value = latin1.value_or(infotext);
  png_text text{};
  text.compression = latin1 ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE;
  text.key = key.data();
  text.text = value.data();
  bool done = encode_with_jumps(encoder, width, height, rgb.data(), infotext.empty() ? nullptr : &text);
  require(done, ErrorKind::unsupported, "libpng cannot encode {}x{} pixels: {}", width, height, encoder.error);
  return std::move(encoder.file);
}

void write_png_file(const std::string& path, int width, int height, std::span<const uint8_t> rgb, const std::string& infotext) {
  AtomicFile file(path);
  file.write(encode_png(width, height, rgb, infotext));
  file.commit();
}

}  // namespace hayate
