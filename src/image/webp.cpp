// WebP through libwebp, and its EXIF through libwebpmux.
#include <webp/decode.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include <memory>

#include "core/error.h"
#include "image/exif.h"
#include "image/image_format.h"
#include "image/pixels.h"

namespace hayate {
namespace {

constexpr size_t most_exif_bytes = size_t{1} << 30;  // a file counts its bytes in 32 bits

using Mux = std::unique_ptr<WebPMux, decltype(&WebPMuxDelete)>;

WebPData data_of(ByteSpan bytes) { return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}; }
ByteSpan bytes_of(const WebPData& data) { return std::as_bytes(std::span(data.bytes, data.size)); }

struct Encoder {
  WebPPicture picture{};
  WebPMemoryWriter writer{};

  Encoder() {
    WebPPictureInit(&picture);
    WebPMemoryWriterInit(&writer);
    picture.writer = WebPMemoryWrite;
    picture.custom_ptr = &writer;
  }
  Encoder(const Encoder&) = delete;
  ~Encoder() {
    WebPPictureFree(&picture);
    WebPMemoryWriterClear(&writer);
  }
};

Bytes with_exif(ByteSpan file, const std::string& infotext) {
  const Bytes exif = make_exif(infotext, most_exif_bytes);
  const WebPData picture = data_of(file), chunk = data_of(exif);
  Mux mux(WebPMuxCreate(&picture, 0), WebPMuxDelete);
  WebPData assembled{};
  bool done = mux && WebPMuxSetChunk(mux.get(), "EXIF", &chunk, 0) == WEBP_MUX_OK && WebPMuxAssemble(mux.get(), &assembled) == WEBP_MUX_OK;
  std::unique_ptr<WebPData, decltype(&WebPDataClear)> owner(&assembled, WebPDataClear);
  require(done, ErrorKind::out_of_memory, "not enough memory to write a WebP");
  return {bytes_of(assembled).begin(), bytes_of(assembled).end()};
}

// Quality 100 loses nothing.
Bytes encode_webp(const Image& image, const std::string& infotext, int quality) {
  WebPConfig config;
  bool done = WebPConfigPreset(&config, WEBP_PRESET_DEFAULT, float(quality)) && (quality < 100 || WebPConfigLosslessPreset(&config, 4));
  config.use_sharp_yuv = 1;  // saturated edges keep their colour
  Encoder encoder;
  encoder.picture.use_argb = config.lossless;
  encoder.picture.width = image.width;
  encoder.picture.height = image.height;
  done = done && WebPPictureImportRGB(&encoder.picture, image.rgb.data(), image.width * 3) && WebPEncode(&config, &encoder.picture);
  require(done, ErrorKind::unsupported, "libwebp cannot encode {}x{} pixels (error {})", image.width, image.height, int(encoder.picture.error_code));
  ByteSpan file = std::as_bytes(std::span(encoder.writer.mem, encoder.writer.size));
  return infotext.empty() ? Bytes(file.begin(), file.end()) : with_exif(file, infotext);
}

Exif exif_of(ByteSpan file) {
  const WebPData data = data_of(file);
  Mux mux(WebPMuxCreate(&data, 0), WebPMuxDelete);
  WebPData chunk{};
  if (!mux || WebPMuxGetChunk(mux.get(), "EXIF", &chunk) != WEBP_MUX_OK) return {};
  return parse_exif(without_exif_prefix(bytes_of(chunk)));
}

Decoded decode_webp(ByteSpan file, const std::string& what) {
  const WebPData data = data_of(file);
  WebPBitstreamFeatures features{};
  require(WebPGetFeatures(data.bytes, data.size, &features) == VP8_STATUS_OK, ErrorKind::bad_file, "{}: not a sound WebP: its header is damaged",
          what);
  require(!features.has_animation, ErrorKind::unsupported, "{}: an animated WebP, expected a single picture", what);
  check_readable_size(what, features.width, features.height);
  const int channels = features.has_alpha ? 4 : 3;
  Image image{.width = features.width, .height = features.height, .rgb = {}};
  image.rgb.resize(size_t(image.width) * size_t(image.height) * size_t(channels));
  auto decode = features.has_alpha ? WebPDecodeRGBAInto : WebPDecodeRGBInto;
  require(decode(data.bytes, data.size, image.rgb.data(), image.rgb.size(), image.width * channels) != nullptr, ErrorKind::bad_file,
          "{}: not a sound WebP: the file is cut short or damaged", what);
  std::vector<uint8_t> opacity;
  if (features.has_alpha) opacity = opacity_of(image.rgb), image = flatten(image.width, image.height, image.rgb);
  Exif exif = exif_of(file);
  return {std::move(image), std::move(exif.comment), exif.orientation, std::move(opacity)};
}

}  // namespace

const ImageFormat webp_format = {
    .name = "WebP",
    .extensions = {".webp"},
    .most_side = WEBP_MAX_DIMENSION,
    .most_exif_bytes = most_exif_bytes,
    .recognises = [](std::string_view file) { return file.starts_with("RIFF") && file.substr(0, 12).ends_with("WEBP") && file.size() >= 12; },
    .encode = encode_webp,
    .decode = decode_webp};

}  // namespace hayate
