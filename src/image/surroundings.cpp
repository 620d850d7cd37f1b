// What is kept, blurred less and less, laid over what is blurred more.
#include "image/surroundings.h"

#include <algorithm>
#include <array>

#include "image/pixels.h"

namespace hayate {

namespace {
// Red, green and blue, each times opacity, and opacity, 0..1.
using Layer = std::array<std::vector<float>, 4>;

Layer kept(const Image& picture, const Image& mask) {
  Layer layer;
  for (size_t c = 0; c < 4; ++c) layer[c].resize(picture.rgb.size() / 3);
  for (size_t i = 0; i < layer[3].size(); ++i) {
    const float opacity = 1 - float(mask.rgb[i * 3]) / 255;
    for (size_t c = 0; c < 3; ++c) layer[c][i] = float(picture.rgb[i * 3 + c]) / 255 * opacity;
    layer[3][i] = opacity;
  }
  return layer;
}

void lay_over(Layer& under, const Layer& over) {
  for (size_t i = 0; i < under[3].size(); ++i) {
    const float seen = 1 - over[3][i];
    for (size_t c = 0; c < 4; ++c) under[c][i] = over[c][i] + under[c][i] * seen;
  }
}

struct Blur {
  double deviation;  // pixels
  int times;         // so much denser does it lie over what is softer
};
constexpr Blur kBlurs[] = {{256, 1}, {64, 1}, {16, 2}, {4, 4}, {2, 2}, {0, 1}};
}  // namespace

Image filled_from_around(const Image& picture, const Image& mask) {
  const Layer own = kept(picture, mask);
  Layer all;
  for (std::vector<float>& values : all) values.resize(own[0].size());
  for (const auto& [deviation, times] : kBlurs) {
    Layer blurred = own;
    for (std::vector<float>& values : blurred) blur(values, picture.width, picture.height, deviation);
    for (int i = 0; i < times; ++i) lay_over(all, blurred);
  }
  Image filled = picture;
  for (size_t i = 0; i < all[3].size(); ++i)
    for (size_t c = 0; c < 3; ++c) filled.rgb[i * 3 + c] = all[3][i] > 0 ? uint8_t(std::clamp(all[c][i] / all[3][i] * 255 + 0.5f, 0.0f, 255.0f)) : uint8_t(0);
  return filled;
}

}  // namespace hayate
