// A kernel of 3 behind nearest-2x as four kernels of 2 in front of it.
#pragma once
#include <cstdint>

namespace hayate {

// Output pixel (2 i + p) of a convolution of kernel 3, padded by one, over an image seen twice as large reads lines 2 i + p - 1 .. 2 i + p + 1 of
// that, which are two lines of the image itself: i + p - 1 and i + p. Taps that meet on one of them are added up. The same for columns.
// filter: (3, 3, in); folded: (2, 2, in), for phase 2 p + q of pixels (2 i + p, 2 j + q).
void fold_nearest(const float* filter, int64_t in, int phase, float* folded);

}  // namespace hayate
