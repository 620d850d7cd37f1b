// A rectangle of an image, as four integers of an input.
#pragma once
#include <cstdint>
#include <string>

#include "core/shape.h"

namespace hayate {

struct Region {
  int32_t top = 0, left = 0, height = 0, width = 0;

  constexpr int64_t pixels() const { return int64_t{height} * width; }
};

constexpr Region whole(const Shape& s) { return {0, 0, int32_t(s.h), int32_t(s.w)}; }
// Throws Error(usage) that names the op where the region is empty or leaves the image.
void check(const Region&, const Shape& image, const std::string& name);

}  // namespace hayate
