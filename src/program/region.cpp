// Regions come from outside a program.
#include "program/region.h"

#include "core/error.h"

namespace hayate {

void check(const Region& r, const Shape& image, const std::string& name) {
  require(r.top >= 0 && r.left >= 0 && r.height > 0 && r.width > 0 && r.height <= image.h - r.top && r.width <= image.w - r.left, ErrorKind::usage,
          "{}: a region of {}x{} pixels at line {}, column {} is not inside {}", name, r.width, r.height, r.top, r.left, to_string(image));
}

}  // namespace hayate
