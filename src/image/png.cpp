// PNG through libpng. Its errors leave by longjmp, which must not cross anything with a destructor: the functions named
// ..._with_jumps and the callbacks hold plain values only; everything that needs destruction lives in their callers.
#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <new>

#include "core/error.h"
#include "core/utf8.h"
#include "image/exif.h"
#include "image/image_format.h"
#include "image/pixels.h"
#include "image/text.h"

namespace hayate {
namespace {

constexpr const char* infotext_key = "parameters";

void ignore_warning(png_structp, png_const_charp) {}

struct PngEncoder {
  png_structp png = nullptr;
  png_infop info = nullptr;
  Bytes file;
  char error[128] = "";

  ~PngEncoder() { png_destroy_write_struct(&png, &info); }
};

struct PngDecoder {
  png_structp png = nullptr;
  png_infop info = nullptr;
  ByteSpan unread;
  char error[128] = "";

  ~PngDecoder() { png_destroy_read_struct(&png, &info, nullptr); }
};

template <class Coder>
void keep_error(png_structp png, png_const_charp message) {
  auto& error = static_cast<Coder*>(png_get_error_ptr(png))->error;
  std::snprintf(error, sizeof error, "%s", message);
  png_longjmp(png, 1);
}

void append_bytes(png_structp png, png_bytep bytes, size_t count) {
  auto& file = static_cast<PngEncoder*>(png_get_io_ptr(png))->file;
  bool stored = false;
  try {
    auto begin = reinterpret_cast<const std::byte*>(bytes);
    file.insert(file.end(), begin, begin + count);
    stored = true;
  } catch (const std::bad_alloc&) {}
  if (!stored) png_error(png, "out of memory");
}

void take_bytes(png_structp png, png_bytep bytes, size_t count) {
  auto& unread = static_cast<PngDecoder*>(png_get_io_ptr(png))->unread;
  if (count > unread.size()) png_error(png, "the file is cut short");
  std::memcpy(bytes, unread.data(), count);
  unread = unread.subspan(count);
}

bool encode_with_jumps(PngEncoder& encoder, int width, int height, const uint8_t* rgb, png_text* text) {
  png_structp png = encoder.png;
  if (setjmp(png_jmpbuf(png))) return false;
  png_set_write_fn(png, &encoder, append_bytes, nullptr);
  png_set_IHDR(png, encoder.info, png_uint_32(width), png_uint_32(height), 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  png_set_compression_level(png, 2);  // on photographs a sixth of the default level's time for a sixth more bytes
  if (text) png_set_text(png, encoder.info, text, 1);
  png_write_info(png, encoder.info);
  for (int row = 0; row < height; ++row) png_write_row(png, rgb + size_t(row) * size_t(width) * 3);
  png_write_end(png, encoder.info);
  return true;
}

// tEXt if Latin-1 holds the text, else iTXt: so chooses Pillow, and with it AUTOMATIC1111.
Bytes encode_png(const Image& image, const std::string& infotext, int /*quality: PNG keeps everything*/) {
  PngEncoder encoder;
  encoder.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &encoder, keep_error<PngEncoder>, ignore_warning);
  if (encoder.png) encoder.info = png_create_info_struct(encoder.png);
  require(encoder.info != nullptr, ErrorKind::out_of_memory, "not enough memory to write a PNG");

  const std::optional<std::string> latin1 = to_latin1(infotext);
  std::string key = infotext_key, value = latin1.value_or(infotext);
  png_text text{};
  text.compression = latin1 ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE;
  text.key = key.data();
  text.text = value.data();
  bool done = encode_with_jumps(encoder, image.width, image.height, image.rgb.data(), infotext.empty() ? nullptr : &text);
  require(done, ErrorKind::unsupported, "libpng cannot encode {}x{} pixels: {}", image.width, image.height, encoder.error);
  return std::move(encoder.file);
}

// Leaves rows of 8-bit RGB or RGBA to be read, whatever the file has.
bool read_header_with_jumps(PngDecoder& decoder) {
  png_structp png = decoder.png;
  if (setjmp(png_jmpbuf(png))) return false;
  png_set_read_fn(png, &decoder, take_bytes);
  png_set_chunk_malloc_max(png, png_alloc_size_t{8} << 20);  // compressed texts unpack to no more
  png_read_info(png, decoder.info);
  png_set_expand(png);  // palettes, less than 8 bits, one transparent colour
  png_set_scale_16(png);
  png_set_gray_to_rgb(png);
  return true;
}

bool read_pixels_with_jumps(PngDecoder& decoder, png_bytepp rows) {
  if (setjmp(png_jmpbuf(decoder.png))) return false;
  png_read_image(decoder.png, rows);
  png_read_end(decoder.png, decoder.info);  // texts may follow the pixels
  return true;
}

bool update_with_jumps(PngDecoder& decoder) {
  if (setjmp(png_jmpbuf(decoder.png))) return false;
  png_set_interlace_handling(decoder.png);
  png_read_update_info(decoder.png, decoder.info);
  return true;
}

std::string infotext_of(PngDecoder& decoder) {
  png_textp texts = nullptr;
  int count = 0;
  png_get_text(decoder.png, decoder.info, &texts, &count);
  for (const png_text& text : std::span(texts, size_t(count))) {
    if (std::strcmp(text.key, infotext_key) != 0 || !text.text) continue;
    bool international = text.compression == PNG_ITXT_COMPRESSION_NONE || text.compression == PNG_ITXT_COMPRESSION_zTXt;
    return international ? to_utf8(code_points(text.text)) : from_latin1(text.text);
  }
  return "";
}

int orientation_of(PngDecoder& decoder) {
  png_bytep exif = nullptr;
  png_uint_32 size = 0;
  if (!png_get_eXIf_1(decoder.png, decoder.info, &size, &exif)) return 1;
  return parse_exif(std::as_bytes(std::span(exif, size))).orientation;
}

// libpng takes memory for a text chunk before it knows that the file holds it: a few bytes could claim two gigabytes.
void check_chunks(ByteSpan file, const std::string& what) {
  constexpr size_t kSignature = 8, kAround = 12;  // length, type and checksum
  for (size_t at = kSignature; at + kAround <= file.size();) {
    size_t length = 0;
    for (size_t i = 0; i < 4; ++i) length = length << 8 | size_t(file[at + i]);
    require(length <= file.size() - at - kAround, ErrorKind::bad_file, "{}: not a sound PNG: the file is cut short", what);
    if (std::memcmp(&file[at + 4], "IEND", 4) == 0) break;  // what follows is not the picture's
    at += kAround + length;
  }
}

Decoded decode_png(ByteSpan file, const std::string& what) {
  check_chunks(file, what);
  PngDecoder decoder;
  decoder.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &decoder, keep_error<PngDecoder>, ignore_warning);
  if (decoder.png) decoder.info = png_create_info_struct(decoder.png);
  require(decoder.info != nullptr, ErrorKind::out_of_memory, "not enough memory to read a PNG");
  decoder.unread = file;
  auto require_done = [&](bool done) { require(done, ErrorKind::bad_file, "{}: not a sound PNG: {}", what, decoder.error); };

  require_done(read_header_with_jumps(decoder));
  const int64_t width = png_get_image_width(decoder.png, decoder.info), height = png_get_image_height(decoder.png, decoder.info);
  check_readable_size(what, width, height);
  require_done(update_with_jumps(decoder));
  const size_t row_bytes = png_get_rowbytes(decoder.png, decoder.info);
  std::vector<uint8_t> pixels(row_bytes * size_t(height));
  std::vector<png_bytep> rows(static_cast<size_t>(height));
  for (size_t row = 0; row < rows.size(); ++row) rows[row] = pixels.data() + row * row_bytes;
  require_done(read_pixels_with_jumps(decoder, rows.data()));

  const bool opaque = png_get_channels(decoder.png, decoder.info) == 3;
  std::vector<uint8_t> opacity = opaque ? std::vector<uint8_t>{} : opacity_of(pixels);
  Image image = opaque ? Image{.width = int(width), .height = int(height), .rgb = std::move(pixels)} : flatten(int(width), int(height), pixels);
  return {std::move(image), infotext_of(decoder), orientation_of(decoder), std::move(opacity)};
}

}  // namespace

const ImageFormat png_format = {.name = "PNG",
                                .extensions = {".png"},
                                .most_side = 1000000,  // libpng's own
                                .most_exif_bytes = 0,
                                .recognises = [](std::string_view file) { return file.starts_with("\x89PNG\r\n\x1a\n"); },
                                .encode = encode_png,
                                .decode = decode_png};

}  // namespace hayate
