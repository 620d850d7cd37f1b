// What is done to decoded pixels, whatever file they came from.
#pragma once
#include <span>
#include <string>

#include "hayate/hayate.h"

namespace hayate {

constexpr int kMaxImageSide = 16384;                 // pixels
constexpr int64_t kMaxImagePixels = int64_t{1} << 27;

// Pictures are refused by their header, before memory is taken: 16384 pixels a side, 2^27 in all. Error(unsupported).
void check_readable_size(const std::string& what, int64_t width, int64_t height);

// Red, green, blue and opacity over white, as a viewer shows them.
Image flatten(int width, int height, std::span<const uint8_t> rgba);
std::vector<uint8_t> opacity_of(std::span<const uint8_t> rgba);

// The picture that a camera meant: orientation is 1..8 as in EXIF (section 4.6.5), anything else means 1. `opacity` belongs to the picture and is turned
// with it, unless it is empty.
Image upright(Image, int orientation, std::vector<uint8_t>& opacity);

// A part of the picture, or more than it: beyond its edges it goes on as it ends.
Image window(const Image&, int left, int top, int width, int height);

// A Gaussian of this standard deviation over (height, width) numbers, which go on beyond the edges as they end.
void blur(std::span<float> map, int width, int height, double deviation);

}  // namespace hayate
