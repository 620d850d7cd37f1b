// quantize: rows in int8 with a scale each (program/quantized.h), normalised first if that is asked for.
#pragma once
#include <bit>

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
  return std::bit_cast<float>(reduce(most, [](Ints a, Ints b) { return b > a ? b : a; }));
}

// Returns the scale by which x - mean is stored.
template <class T>
float round_row(int8_t* out, const T* x, int64_t count, float mean, float largest) {
  const float factor = largest > 0 ? largest_of(Dtype::i8) / largest : 0;
  map_row(out, count, [&](Floats v) {
    const Floats scaled = (v - mean) * factor;
    return scaled == scaled ? scaled : Floats{};
  }, x);
  return largest / largest_of(Dtype::i8);
}

// Returns the scale. `count` is a multiple of kQuantizedColumns, which kLanes divides.
template <class T>
float quantize_row(int8_t* out, const T* x, int64_t count, float normalise) {
  float mean = 0, inverse = 1;
  if (normalise > 0) {
    mean = sum_row(x, count, [](Floats v) { return v; }) / float(count);
    inverse = 1 / std::sqrt(sum_row(x, count, [&](Floats v) { return (v - mean) * (v - mean); }) / float(count) + normalise);
  }
  return round_row(out, x, count, mean, largest_of_row(x, count, mean)) * inverse;
}

// One scale for all rows of an image or filter, which is found in two steps: what is largest in each row lies where its scale will be.
template <class T>
Launch bind_quantize_whole(const Operands& o) {
  return [out = o.out, x = o.in[0]] {
    const int64_t rows = out.shape.tokens(), columns = out.shape.c, grain = std::max<int64_t>(1, kElementGrain / columns);
    float* const scales = out.scales();
    parallel_for(out.shape.rows(), grain, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) scales[r] = largest_of_row(x.row<T>(r), columns, 0);
    });
    parallel_for(out.shape.n, std::max<int64_t>(1, kElementGrain / rows), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        int32_t largest = 0;  // as bits, like those of a row
        for (int64_t r = i * rows; r < (i + 1) * rows; ++r) largest = std::max(largest, std::bit_cast<int32_t>(scales[r]));
        std::fill_n(scales + i * rows, rows, std::bit_cast<float>(largest));
      }
    });
    parallel_for(out.shape.rows(), grain, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) scales[r] = round_row(out.row<int8_t>(r), x.row<T>(r), columns, 0, scales[r]);
    });
  };
}

inline Launch bind_quantize(const Operands& o) {
  if (o.node.as<QuantizeAttr>().whole) return with_type(o, o.in[0].dtype, [&]<class T>(T) { return bind_quantize_whole<T>(o); });
  return with_type(o, o.in[0].dtype, [&]<class T>(T) -> Launch {
    return [out = o.out, x = o.in[0], normalise = o.node.as<QuantizeAttr>().normalise] {
      parallel_for(out.shape.rows(), std::max<int64_t>(1, kElementGrain / out.shape.c), [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; ++r) out.scales()[r] = quantize_row(out.row<int8_t>(r), x.row<T>(r), out.shape.c, normalise);
      });
    };
  });
}

}  // namespace hayate::cpu::HAYATE_ISA
