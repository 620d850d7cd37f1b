// From the first pass of a request to the size of the second.
#pragma once
#include <vector>

#include "hayate/hayate.h"

namespace hayate {

bool enlarges_latents(Upscaler);  // else pictures
// (pictures, h, w, channels) to (pictures, to_h, to_w, channels).
std::vector<float> enlarged(const std::vector<float>& latents, int64_t pictures, int64_t h, int64_t w, int64_t to_h, int64_t to_w, Upscaler);
Image enlarged(const Image&, int width, int height);

}  // namespace hayate
