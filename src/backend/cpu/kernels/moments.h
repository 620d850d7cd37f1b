// Mean and variance without cancellation: two passes over a piece that stays in cache, pieces merged in double.
#pragma once
#include "backend/cpu/kernels/simd.h"

namespace hayate::cpu::HAYATE_ISA {

struct alignas(32) Moments {
  double count, mean, squares;  // squares: sum of (x - mean)^2

  void merge(const Moments& other) {  // Chan, Golub and LeVeque 1979
    if (other.count == 0) return;
    double delta = other.mean - mean, all = count + other.count;
    mean += delta * other.count / all;
    squares += other.squares + delta * delta * count * other.count / all;
    count = all;
  }
  double inverse_deviation(double eps) const { return 1 / std::sqrt(squares / count + eps); }
};

// Sum of f(x) over one row.
template <class T, class F>
float sum_row(const T* x, int64_t count, F f) {
  Floats sum{};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) sum += f(load(x + i));
  float total = sum_of(sum);
  for (; i < count; ++i) total += f(splat(to_float(x[i])))[0];
  return total;
}

}  // namespace hayate::cpu::HAYATE_ISA
