// Computed once, when weights are loaded or changed; to the bit what the host computes as it reads them (weights/prepared_weights.cpp).
#include "backend/cuda/kernels/device.cuh"
#include "backend/cuda/kernels/folded_norm.h"

namespace hayate::cuda {

namespace {
template <int N, class Tin, class Tout>
__global__ void scale_columns_kernel(Tout* y, int64_t y_stride, const Tin* w, int64_t w_stride, const float* factors, int64_t rows, int packs) {
  after_previous();
  HAYATE_FOR_ROW_PACKS(r, p, rows, packs) {
    float v[N], f[N];
    load(v, w + r * w_stride + p * N);
    load(f, factors + p * N);
#pragma unroll
    for (int i = 0; i < N; ++i) v[i] *= f[i];
    store(y + r * y_stride + p * N, v);
  }
}

// A warp for each row.
template <class T>
__global__ void row_dots_kernel(float* y, const T* w, int64_t stride, const float* v, const float* b, int64_t rows, int cols) {
  after_previous();
  const int64_t r = int64_t(blockIdx.x) * blockDim.y + threadIdx.y;
  if (r >= rows) return;
  double sum = 0;
  for (int c = threadIdx.x; c < cols; c += 32) sum += double(to_float(w[r * stride + c])) * double(v[c]);
#pragma unroll
  for (int d = 16; d > 0; d /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, d);
  if (threadIdx.x == 0) y[r] = float(sum + (b ? double(b[r]) : 0.0));
}
}  // namespace

void launch_scale_columns(cudaStream_t s, Matrix y, Matrix w, const float* factors) {
  with_type(y.dtype, [&]<class Tout>(Type<Tout>) {
    with_type(w.dtype, [&]<class Tin>(Type<Tin>) {
      auto run = [&]<int N>(std::integral_constant<int, N>) {
        RowGrid g(y.rows, y.cols / N);
        start(s, g.grid, g.block, 0, scale_columns_kernel<N, Tin, Tout>, static_cast<Tout*>(y.data), y.stride, static_cast<const Tin*>(w.data), w.stride,
              factors, y.rows, y.cols / N);
      };
      constexpr int N = 4;
      if (divisible(y, N) && divisible(w, N))
        run(std::integral_constant<int, N>{});
      else
        run(std::integral_constant<int, 1>{});
    });
  });
}

void launch_row_dots(cudaStream_t s, float* y, Matrix w, const float* v, const float* b) {
  with_type(w.dtype, [&]<class T>(Type<T>) {
    start(s, unsigned((w.rows + 3) / 4), dim3(32, 4), 0, row_dots_kernel<T>, y, static_cast<const T*>(w.data), w.stride, v, b, w.rows, w.cols);
  });
}

}  // namespace hayate::cuda
