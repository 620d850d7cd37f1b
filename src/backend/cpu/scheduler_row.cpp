// scheduler_row: the state of the loop is a small matrix of coefficients times what the step read and made.
#include "backend/cpu/context.h"
#include "core/parallel.h"

namespace hayate::cpu {

Launch bind_scheduler_row(const Operands& o) {
  return [out = o.out, state = o.in[0], prediction = o.in[1], noise = o.in[2], matrix = o.in[3]] {
    int64_t width = prediction.shape.c, parts = out.shape.c / width, columns = parts + 2;  // x, prediction, saved.., noise
    parallel_for(out.shape.rows(), 1024, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r)
        for (int64_t part = 0; part < parts; ++part) {
          const float* m = matrix.row<float>(r / out.shape.tokens()) + part * columns;
          for (int64_t c = 0; c < width; ++c) {
            double sum = double(m[0]) * double(state.row<float>(r)[c]) + double(m[1]) * double(prediction.row<float>(r)[c]);
            for (int64_t k = 1; k < parts; ++k) sum += double(m[1 + k]) * double(state.row<float>(r)[k * width + c]);
            if (m[parts + 1] != 0) sum += double(m[parts + 1]) * double(noise.row<float>(r)[c]);  // unused noise may be anything
            out.row<float>(r)[part * width + c] = float(sum);
          }
        }
    });
  };
}

}  // namespace hayate::cpu
