// Matrix products through cuBLASLt.
#pragma once
#include <cublasLt.h>

#include <memory>
#include <optional>

#include "backend/cuda/context.h"

namespace hayate::cuda {

// y(m, n) = alpha x(m, k) w^T + bias + residual, row-major, strides in elements. With `w_by_input` w is (k, n) instead of (n, k).
struct MatmulProblem {
  const void *x = nullptr, *w = nullptr;
  void* y = nullptr;
  const void* bias = nullptr;      // n, of y's type
  const void* residual = nullptr;  // (m, n), of y's type
  int64_t m = 0, n = 0, k = 0;
  int64_t x_stride = 0, w_stride = 0, y_stride = 0, residual_stride = 0;
  bool w_by_input = false;
  Dtype dtype = Dtype::f32, y_dtype = Dtype::f32;  // of x and w; of y
  float alpha = 1;
  bool tf32 = false;
  int batch = 1;  // independent products, so many elements apart
  int64_t x_batch = 0, w_batch = 0, y_batch = 0;
};

// A product whose addresses are given when it runs, aligned as the problem's were.
struct Product {
  struct Addresses {
    const void *x, *w;
    void* y;
    const void* residual = nullptr;
  };
  std::function<void(const Addresses&, void* workspace)> enqueue;
  int64_t workspace = 0;
};

// Nothing if cuBLASLt has no algorithm for the problem.
std::optional<Product> bind_cublas(const MatmulProblem&, const Context&);
// cuBLASLt, or else a plain kernel; for problems with neither bias nor residual.
Product bind_product(const MatmulProblem&, const Context&);
// The product at the problem's own addresses.
Launch at_addresses(Product, const MatmulProblem&);

}  // namespace hayate::cuda
