// timestep_embedding: a few hundred numbers a step.
#include <cmath>

#include "backend/cpu/context.h"

namespace hayate::cpu {

// diffusers' get_timestep_embedding, with its float32 frequencies.
Launch bind_timestep_embedding(const Operands& o) {
  const auto& a = o.node.as<TimestepAttr>();
  int64_t half = a.dim / 2;
  std::vector<float> frequency(static_cast<size_t>(half));
  for (int64_t d = 0; d < half; ++d) frequency[size_t(d)] = std::exp(-std::log(10000.f) * float(d) / (float(half) - a.freq_shift));
  return [=, out = o.out, t = o.in[0]] {
    for (int64_t r = 0; r < t.shape.rows(); ++r)
      for (int64_t c = 0; c < t.shape.c; ++c) {
        float* to = out.row<float>(r) + c * a.dim;
        float *cosines = a.flip_sin_to_cos ? to : to + half, *sines = a.flip_sin_to_cos ? to + half : to;
        for (int64_t d = 0; d < half; ++d) {
          float angle = t.row<float>(r)[c] * frequency[size_t(d)];
          cosines[d] = std::cos(angle);
          sines[d] = std::sin(angle);
        }
        if (a.dim % 2) to[a.dim - 1] = 0;
      }
  };
}

}  // namespace hayate::cpu
