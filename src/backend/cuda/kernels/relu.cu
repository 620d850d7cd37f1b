// max(x, 0), of tiny decoders; NaN stays.
#include "backend/cuda/kernels/relu.h"

#include "backend/cuda/kernels/device.cuh"

namespace hayate::cuda {

namespace {
template <int N, class T>
__global__ void relu_kernel(T* y, int64_t y_stride, const T* x, int64_t x_stride, int64_t rows, int packs) {
  after_previous();
  HAYATE_FOR_ROW_PACKS(r, p, rows, packs) {
    float v[N];
    load(v, x + r * x_stride + p * N);
#pragma unroll
    for (int i = 0; i < N; ++i) v[i] = v[i] < 0 ? 0 : v[i];
    store(y + r * y_stride + p * N, v);
  }
}
}  // namespace

void launch_relu(cudaStream_t s, Matrix y, Matrix x) {
  with_type(y.dtype, [&]<class T>(Type<T>) {
    auto run = [&]<int N>(std::integral_constant<int, N>) {
      RowGrid g(y.rows, y.cols / N);
      start(s, g.grid, g.block, 0, relu_kernel<N, T>, static_cast<T*>(y.data), y.stride, static_cast<const T*>(x.data), x.stride, y.rows, y.cols / N);
    };
    constexpr int N = 16 / sizeof(T);
    if (divisible(y, N) && divisible(x, N))
      run(std::integral_constant<int, N>{});
    else
      run(std::integral_constant<int, 1>{});
  });
}

}  // namespace hayate::cuda
