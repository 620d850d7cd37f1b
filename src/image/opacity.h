// Pictures with what their files say of how opaque they are, which decode_image() leaves out.
#pragma once
#include "hayate/hayate.h"

namespace hayate {

struct ImageWithOpacity {
  ImageFile file{};
  std::vector<uint8_t> opacity{};  // a byte a pixel, upright as the image, 0 where it is transparent; empty where it is opaque all over
};
ImageWithOpacity decode_with_opacity(std::string_view file, const std::string& what);  // throws as decode_image()

}  // namespace hayate
