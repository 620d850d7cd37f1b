// quantize: rows in int8 with a scale each (program/quantized.h), normalised first if that is asked for.
#pragma once
#include "backend/cpu/kernels/moments.h"

namespace hayate::cpu::HAYATE_ISA {

// The largest |x - mean| of a row; NaN if there is one. As bits, numbers without sign are ordered as integers, and NaN comes last.
template <class T>
float largest_of_row(const T* x, int64_t count, float mean) {
  auto bits = [&](Floats v) { return reinterpret_cast<Ints>(v - mean) & 0x7fffffff; };
  Ints most{};
  for (int64_t i = 0; i < count; i += kLanes) {
    const Ints b = bits(load(x + i));
    most = b > most ? b : most;
  }
  int32_t largest = 0;
  for (int64_t i = 0; i < kLanes; ++i) largest = std::max(largest, most[i]);
  return std::bit_cast<float>(largest);
}

// Returns the scale. `count` is a multiple of kQuantizedColumns, which kLanes divides.
template <class T>
float quantize_row(int8_t* out, const T* x, int64_t count, float normalise) {
  float mean = 0, inverse = 1;
  if (normalise > 0) {
    mean = sum_row(x, count, [](Floats v) { return v; }) / float(count);
    inverse = 1 / std::sqrt(sum_row(x, count, [&](Floats v) { return (v - mean) * (v - mean); }) / float(count) + normalise);
  }
  const float largest = largest_of_row(x, count, mean), factor = largest > 0 ? largest_of(Dtype::i8) / largest : 0;
  map_row(out, count, [&](Floats v) {
    const Floats scaled = (v - mean) * factor;
    return scaled == scaled ? scaled : Floats{};
  }, x);
  return largest * inverse / largest_of(Dtype::i8);
}

inline Launch bind_quantize(const Operands& o) {
  return with_type(o, o.in[0].dtype, [&]<class T>(T) -> Launch {
    return [out = o.out, x = o.in[0], normalise = o.node.as<QuantizeAttr>().normalise] {
      parallel_for(out.shape.rows(), std::max<int64_t>(1, kElementGrain / out.shape.c), [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; ++r) out.scales()[r] = quantize_row(out.row<int8_t>(r), x.row<T>(r), out.shape.c, normalise);
      });
    };
  });
}

}  // namespace hayate::cpu::HAYATE_ISA
