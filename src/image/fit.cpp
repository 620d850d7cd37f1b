// Cutting windows out of pictures, and what that makes of another shape.
#include <algorithm>

#include "core/error.h"
#include "image/pixels.h"

namespace hayate {

Image window(const Image& image, int left, int top, int width, int height) {
  Image part{.width = width, .height = height, .rgb = {}};
  part.rgb.reserve(size_t(width) * size_t(height) * 3);
  for (int y = top; y < top + height; ++y)
    for (int x = left; x < left + width; ++x) {
      const size_t from = (size_t(std::clamp(y, 0, image.height - 1)) * size_t(image.width) + size_t(std::clamp(x, 0, image.width - 1))) * 3;
      part.rgb.insert(part.rgb.end(), image.rgb.begin() + long(from), image.rgb.begin() + long(from + 3));
    }
  return part;
}

Image fitted(const Image& image, int width, int height, Fit fit) {
  const int64_t across = int64_t{width} * image.height, upright = int64_t{height} * image.width;
  if (fit == Fit::stretch || across == upright) return resized(image, width, height);
  // Along one side it fits, along the other it sticks out, or is short of it.
  const bool by_width = (across > upright) == (fit == Fit::crop);
  const int w = by_width ? width : int(std::max<int64_t>(upright / image.height, 1)), h = by_width ? int(std::max<int64_t>(across / image.width, 1)) : height;
  // A picture of one line, say: much larger than what is seen of it.
  require(w <= kMaxImageSide && h <= kMaxImageSide && int64_t{w} * h <= kMaxImagePixels, ErrorKind::usage,
          "a picture of {}x{} pixels would become one of {}x{} to fit {}x{}; at most {} a side, and {} in all, are possible", image.width, image.height, w, h, width, height,
          kMaxImageSide, kMaxImagePixels);
  return window(resized(image, w, h), w / 2 - width / 2, h / 2 - height / 2, width, height);
}

}  // namespace hayate
