// guidance: classifier-free guidance and its rescaling, one scale per image.
#include <cmath>

#include "backend/cpu/context.h"
#include "core/parallel.h"

namespace hayate::cpu {

namespace {
// Calls f(elements of a row) over the rows of one image.
template <class F>
void for_image(const TensorView& v, int64_t image, F f) {
  for (int64_t r = image * v.shape.tokens(); r < (image + 1) * v.shape.tokens(); ++r)
    for (int64_t c = 0; c < v.shape.c; ++c) f(v.row<float>(r)[c]);
}

double deviation(const TensorView& v, int64_t image) {
  double count = double(v.shape.tokens() * v.shape.c), sum = 0, squares = 0;
  for_image(v, image, [&](float x) { sum += double(x); });
  for_image(v, image, [&](float x) { squares += (double(x) - sum / count) * (double(x) - sum / count); });
  return std::sqrt(squares / (count - 1));
}
}  // namespace

// Lin et al. 2023, section 3.4, as diffusers' rescale_noise_cfg.
Launch bind_guidance(const Operands& o) {
  return [out = o.out, prediction = o.in[0], scales = o.in[1], rescales = o.in[2]] {
    const Shape& s = out.shape;
    parallel_for(s.n, 1, [&](int64_t begin, int64_t end) {
      for (int64_t image = begin; image < end; ++image) {
        float scale = *scales.row<float>(image), rescale = *rescales.row<float>(image);
        for (int64_t r = image * s.tokens(); r < (image + 1) * s.tokens(); ++r) {
          const float *uncond = prediction.row<float>(r), *cond = prediction.row<float>(r + s.rows());
          for (int64_t c = 0; c < s.c; ++c) out.row<float>(r)[c] = uncond[c] + scale * (cond[c] - uncond[c]);
        }
        if (rescale == 0) continue;
        float factor = float(double(rescale) * deviation(prediction, s.n + image) / deviation(out, image) + 1 - double(rescale));
        for_image(out, image, [&](float& x) { x *= factor; });
      }
    });
  };
}

}  // namespace hayate::cpu
