// Size limits, opacity, orientation.
#include "image/pixels.h"

#include <algorithm>

#include "core/error.h"

namespace hayate {

void check_readable_size(const std::string& what, int64_t width, int64_t height) {
  constexpr int64_t longest = kMaxImageSide, most = kMaxImagePixels;
  require(width >= 1 && height >= 1 && width <= longest && height <= longest && width * height <= most, ErrorKind::unsupported,
          "{}: a picture of {}x{} pixels, expected at most {} a side and {} in all", what, width, height, longest, most);
}

Image flatten(int width, int height, std::span<const uint8_t> rgba) {
  Image image{.width = width, .height = height, .rgb = std::vector<uint8_t>(rgba.size() / 4 * 3)};
  for (size_t pixel = 0; pixel < rgba.size() / 4; ++pixel) {
    const unsigned opacity = rgba[pixel * 4 + 3];
    for (size_t c = 0; c < 3; ++c) image.rgb[pixel * 3 + c] = uint8_t((rgba[pixel * 4 + c] * opacity + 255 * (255 - opacity) + 127) / 255);
  }
  return image;
}

std::vector<uint8_t> opacity_of(std::span<const uint8_t> rgba) {
  std::vector<uint8_t> opacity(rgba.size() / 4);
  for (size_t pixel = 0; pixel < opacity.size(); ++pixel) opacity[pixel] = rgba[pixel * 4 + 3];
  return opacity;
}

Image upright(Image stored, int orientation, std::vector<uint8_t>& opacity) {
  if (orientation < 2 || orientation > 8) return stored;
  // Where the upright picture's axes run in the stored one.
  const bool transposed = orientation >= 5;
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const int width = transposed ? stored.height : stored.width, height = transposed ? stored.width : stored.height;
  auto turned = [&](const std::vector<uint8_t>& bytes, int channels) {
    std::vector<uint8_t> result(bytes.size());
    auto out = result.begin();
    for (int row = 0; row < height; ++row)
      for (int column = 0; column < width; ++column) {
        int x = transposed ? row : column, y = transposed ? column : row;
        if (from_right) x = stored.width - 1 - x;
        if (from_bottom) y = stored.height - 1 - y;
        out = std::copy_n(bytes.begin() + (int64_t(y) * stored.width + x) * channels, channels, out);
      }
    return result;
  };
  if (!opacity.empty()) opacity = turned(opacity, 1);
  return {.width = width, .height = height, .rgb = turned(stored.rgb, 3)};
}

}  // namespace hayate
