// mimic: the contrast of one clean latent given to another, channel by channel.
#include <cmath>

#include "backend/cpu/context.h"
#include "core/parallel.h"

namespace hayate::cpu {

Launch bind_mimic(const Operands& o) {
  return [out = o.out, prediction = o.in[0], other = o.in[1], x = o.in[2], factors = o.in[3]] {
    const Shape& s = out.shape;
    const int64_t tokens = s.tokens();
    parallel_for(s.n * s.c, 1, [&](int64_t begin, int64_t end) {
      for (int64_t at = begin; at < end; ++at) {
        const int64_t first = at / s.c * tokens, last = first + tokens, c = at % s.c;
        const double of_x = double(factors.row<float>(at / s.c)[0]), of_prediction = double(factors.row<float>(at / s.c)[1]);
        auto clean = [&](const TensorView& v, int64_t r) { return of_x * double(x.row<float>(r)[c]) + of_prediction * double(v.row<float>(r)[c]); };
        auto spread = [&](const TensorView& v, double& mean) {
          double sum = 0, largest = 0;
          for (int64_t r = first; r < last; ++r) sum += clean(v, r);
          mean = sum / double(tokens);
          for (int64_t r = first; r < last; ++r) largest = std::max(largest, std::abs(clean(v, r) - mean));
          return largest;
        };
        double mean = 0, other_mean = 0, change = 0;
        if (of_prediction != 0) {
          const double own = spread(prediction, mean), wanted = spread(other, other_mean);
          if (own > wanted) change = (wanted / own - 1) / of_prediction;
        }
        for (int64_t r = first; r < last; ++r)
          out.row<float>(r)[c] = prediction.row<float>(r)[c] + (change == 0 ? 0.0f : float((clean(prediction, r) - mean) * change));
      }
    });
  };
}

}  // namespace hayate::cpu
