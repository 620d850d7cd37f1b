// What is done to decoded pixels, whatever file they came from.
#pragma once
#include <span>
#include <string>

#include "hayate/hayate.h"

namespace hayate {

// Pictures are refused by their header, before memory is taken: 16384 pixels a side, 2^27 in all. Error(unsupported).
void check_readable_size(const std::string& what, int64_t width, int64_t height);

// Red, green, blue and opacity over white, as a viewer shows them.
Image flatten(int width, int height, std::span<const uint8_t> rgba);

// The picture that a camera meant: orientation is 1..8 as in EXIF (section 4.6.5), anything else means 1.
Image upright(Image, int orientation);

}  // namespace hayate
