// JPEG through libjpeg-turbo. Its errors leave by longjmp: see png.cpp for what follows from that.
// libjpeg's headers need what comes before them.
// clang-format off
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <csetjmp>
#include <cstdlib>

#include "core/error.h"
#include "image/exif.h"
#include "image/image_format.h"
#include "image/pixels.h"

namespace hayate {
namespace {

constexpr size_t most_exif_bytes = 65533 - exif_prefix.size();  // a marker counts its bytes in 16 bits, itself included
constexpr int exif_marker = JPEG_APP0 + 1;
constexpr int most_scans = 500;  // a progressive file of megabytes can ask for hours of work

struct ErrorTrap {
  jpeg_error_mgr manager;
  jmp_buf escape;
  char message[JMSG_LENGTH_MAX] = "";
};

void keep_error(j_common_ptr codec) {
  auto trap = reinterpret_cast<ErrorTrap*>(codec->err);
  (*codec->err->format_message)(codec, trap->message);
  std::longjmp(trap->escape, 1);
}

// libjpeg goes on with grey where data is missing or makes no sense, and only warns.
void keep_damage(j_common_ptr codec, int level) {
  if (level >= 0) return;  // a trace message
  switch (codec->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_MUST_RESYNC: keep_error(codec);
  }
}

void limit_scans(j_common_ptr codec) {
  if (reinterpret_cast<j_decompress_ptr>(codec)->input_scan_number <= most_scans) return;
  std::snprintf(reinterpret_cast<ErrorTrap*>(codec->err)->message, JMSG_LENGTH_MAX, "it has more than %d scans", most_scans);
  std::longjmp(reinterpret_cast<ErrorTrap*>(codec->err)->escape, 1);
}

jpeg_error_mgr* set_trap(ErrorTrap& trap) {
  jpeg_std_error(&trap.manager);
  trap.manager.error_exit = keep_error;
  trap.manager.emit_message = keep_damage;
  return &trap.manager;
}

struct JpegEncoder {
  jpeg_compress_struct codec{};
  ErrorTrap trap{};
  unsigned char* file = nullptr;
  unsigned long size = 0;

  ~JpegEncoder() {
    jpeg_destroy_compress(&codec);
    std::free(file);
  }
};

struct JpegDecoder {
  jpeg_decompress_struct codec{};
  ErrorTrap trap{};
  jpeg_progress_mgr progress{};

  ~JpegDecoder() { jpeg_destroy_decompress(&codec); }
};

bool encode_with_jumps(JpegEncoder& encoder, int width, int height, const uint8_t* rgb, int quality, ByteSpan exif) {
  jpeg_compress_struct* codec = &encoder.codec;
  codec->err = set_trap(encoder.trap);
  if (setjmp(encoder.trap.escape)) return false;
  jpeg_create_compress(codec);
  jpeg_mem_dest(codec, &encoder.file, &encoder.size);
  codec->image_width = JDIMENSION(width);
  codec->image_height = JDIMENSION(height);
  codec->input_components = 3;
  codec->in_color_space = JCS_RGB;
  jpeg_set_defaults(codec);
  jpeg_set_quality(codec, quality, TRUE);
  if (quality >= 90) codec->comp_info[0].h_samp_factor = codec->comp_info[0].v_samp_factor = 1;  // colour as fine as brightness
  codec->optimize_coding = TRUE;
  jpeg_simple_progression(codec);
  jpeg_start_compress(codec, TRUE);
  if (!exif.empty()) jpeg_write_marker(codec, exif_marker, reinterpret_cast<const JOCTET*>(exif.data()), unsigned(exif.size()));
  for (int row = 0; row < height; ++row) {
    JSAMPROW pixels = const_cast<uint8_t*>(rgb) + size_t(row) * size_t(width) * 3;
    jpeg_write_scanlines(codec, &pixels, 1);
  }
  jpeg_finish_compress(codec);
  return true;
}

Bytes encode_jpeg(const Image& image, const std::string& infotext, int quality) {
  Bytes marker;
  if (!infotext.empty()) {
    auto prefix = std::as_bytes(std::span(exif_prefix));
    Bytes exif = make_exif(infotext, most_exif_bytes);
    marker.assign(prefix.begin(), prefix.end());
    marker.insert(marker.end(), exif.begin(), exif.end());
  }
  JpegEncoder encoder;
  bool done = encode_with_jumps(encoder, image.width, image.height, image.rgb.data(), quality, marker);
  require(done, ErrorKind::unsupported, "libjpeg cannot encode {}x{} pixels: {}", image.width, image.height, encoder.trap.message);
  auto begin = reinterpret_cast<const std::byte*>(encoder.file);
  return {begin, begin + encoder.size};
}

bool read_header_with_jumps(JpegDecoder& decoder, ByteSpan file) {
  jpeg_decompress_struct* codec = &decoder.codec;
  codec->err = set_trap(decoder.trap);
  if (setjmp(decoder.trap.escape)) return false;
  jpeg_create_decompress(codec);
  decoder.progress.progress_monitor = limit_scans;
  codec->progress = &decoder.progress;
  jpeg_mem_src(codec, reinterpret_cast<const unsigned char*>(file.data()), static_cast<unsigned long>(file.size()));
  jpeg_save_markers(codec, exif_marker, 0xffff);
  jpeg_read_header(codec, TRUE);
  codec->out_color_space = JCS_RGB;
  return true;
}

bool read_pixels_with_jumps(JpegDecoder& decoder, uint8_t* rgb) {
  jpeg_decompress_struct* codec = &decoder.codec;
  if (setjmp(decoder.trap.escape)) return false;
  jpeg_start_decompress(codec);
  while (codec->output_scanline < codec->output_height) {
    JSAMPROW row = rgb + size_t(codec->output_scanline) * codec->output_width * 3;
    jpeg_read_scanlines(codec, &row, 1);
  }
  jpeg_finish_decompress(codec);
  return true;
}

Exif exif_of(const JpegDecoder& decoder) {
  for (jpeg_saved_marker_ptr marker = decoder.codec.marker_list; marker; marker = marker->next) {
    ByteSpan content = std::as_bytes(std::span(marker->data, marker->data_length)), tiff = without_exif_prefix(content);
    if (tiff.size() < content.size()) return parse_exif(tiff);
  }
  return {};
}

Decoded decode_jpeg(ByteSpan file, const std::string& what) {
  JpegDecoder decoder;
  auto require_done = [&](bool done) { require(done, ErrorKind::bad_file, "{}: not a sound JPEG: {}", what, decoder.trap.message); };
  require_done(read_header_with_jumps(decoder, file));
  const jpeg_decompress_struct& codec = decoder.codec;
  require(codec.jpeg_color_space != JCS_CMYK && codec.jpeg_color_space != JCS_YCCK, ErrorKind::unsupported,
          "{}: a JPEG for printing (CMYK), expected one in RGB or grey", what);
  check_readable_size(what, codec.image_width, codec.image_height);
  Image image{.width = int(codec.image_width), .height = int(codec.image_height), .rgb = {}};
  image.rgb.resize(size_t(image.width) * size_t(image.height) * 3);
  Exif exif = exif_of(decoder);  // before the pixels: the markers go with them
  require_done(read_pixels_with_jumps(decoder, image.rgb.data()));
  return {std::move(image), std::move(exif.comment), exif.orientation};
}

}  // namespace

const ImageFormat jpeg_format = {.name = "JPEG",
                                 .extensions = {".jpg", ".jpeg"},
                                 .most_side = JPEG_MAX_DIMENSION,
                                 .most_exif_bytes = most_exif_bytes,
                                 .recognises = [](std::string_view file) { return file.starts_with("\xff\xd8\xff"); },
                                 .encode = encode_jpeg,
                                 .decode = decode_jpeg};

}  // namespace hayate
