// layer_norm and softmax: one row at a time, which the caches keep between the passes.
#pragma once
#include "backend/cpu/kernels/moments.h"

namespace hayate::cpu::HAYATE_ISA {

template <class T>
void layer_norm_row(T* out, const T* x, const float* gamma, const float* beta, int64_t count, float eps) {
  Floats mean = splat(sum_row(x, count, [](Floats v) { return v; }) / float(count));
  float variance = sum_row(x, count, [&](Floats v) { return (v - mean) * (v - mean); }) / float(count);
  float inverse = 1 / std::sqrt(variance + eps);
  map_row(out, count, [&](Floats v, Floats g, Floats b) { return (v - mean) * inverse * g + b; }, x, gamma, beta);
}

inline Launch bind_layer_norm(const Operands& o) {
  return with_type(o, [&]<class T>(T) -> Launch {
    return [out = o.out, x = o.in[0], gamma = o.in[1].row<float>(0), beta = o.in[2].row<float>(0), eps = o.node.as<NormAttr>().eps] {
      parallel_for(out.shape.rows(), std::max<int64_t>(1, kElementGrain / out.shape.c), [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; ++r) layer_norm_row(out.row<T>(r), x.row<T>(r), gamma, beta, out.shape.c, eps);
      });
    };
  });
}

template <class T>
void softmax_row(T* out, const T* x, int64_t count) {
  Floats largest = splat(-INFINITY);
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) largest = max(load(x + i), largest);
  float top = max_of(largest);
  for (; i < count; ++i) top = std::max(top, to_float(x[i]));
  float inverse = 1 / sum_row(x, count, [&](Floats v) { return exp2<T>((v - top) * kLog2E); });
  map_row(out, count, [&](Floats v) { return exp2<T>((v - top) * kLog2E) * inverse; }, x);
}

inline Launch bind_softmax(const Operands& o) {
  return with_type(o, [&]<class T>(T) -> Launch {
    return [out = o.out, x = o.in[0]] {
      parallel_for(out.shape.rows(), std::max<int64_t>(1, kElementGrain / out.shape.c), [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; ++r) softmax_row(out.row<T>(r), x.row<T>(r), out.shape.c);
      });
    };
  });
}

}  // namespace hayate::cpu::HAYATE_ISA
