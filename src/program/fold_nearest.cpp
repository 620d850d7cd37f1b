// Sums of taps.
#include "program/fold_nearest.h"

#include <algorithm>

namespace hayate {

namespace {
struct Taps {
  int begin, end;
};
// Which of three taps fall on line `at` (0, 1) of the two that outputs of parity `p` read.
Taps taps_on(int at, int p) { return at == 0 ? Taps{0, 1 + p} : Taps{1 + p, 3}; }
}  // namespace

void fold_nearest(const float* filter, int64_t in, int phase, float* folded) {
  for (int line = 0; line < 2; ++line)
    for (int column = 0; column < 2; ++column, folded += in) {
      std::fill_n(folded, in, 0.0f);
      const Taps down = taps_on(line, phase / 2), across = taps_on(column, phase % 2);
      for (int i = down.begin; i < down.end; ++i)
        for (int j = across.begin; j < across.end; ++j)
          for (int64_t c = 0; c < in; ++c) folded[c] += filter[(i * 3 + j) * in + c];
    }
}

}  // namespace hayate
