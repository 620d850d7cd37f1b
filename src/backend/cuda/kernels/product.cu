// Matrix products and convolutions for any type, stride and alignment: what the libraries refuse, and a check of them.
// Tiles of 64 x 64 outputs, 16 inputs at a time, 4 x 4 outputs a thread, sums in float32 in ascending order.
#include "backend/cuda/kernels/device.cuh"

namespace hayate::cuda {

namespace {
constexpr int kTile = 64, kDepth = 16, kThreads = 256;

// Element (row, k) of the left factor.
template <class T>
struct RowsOf {
  const T* x;
  int64_t stride;
  __device__ float operator()(int64_t row, int k) const { return to_float(x[row * stride + k]); }
};
// The same for a convolution: row is an output pixel, k runs over (kernel line, kernel column, channel).
template <class T>
struct PatchesOf {
  const T* x;
  int64_t stride;
  int h, w, c, out_h, out_w, kernel_w, step, pad;
  __device__ float operator()(int64_t row, int k) const {
    int channel = k % c, tap = k / c;
    int column = int(row % out_w) * step + tap % kernel_w - pad;
    int line = int(row / out_w % out_h) * step + tap / kernel_w - pad;
    if (line < 0 || column < 0 || line >= h || column >= w) return 0;
    int64_t image = row / (int64_t(out_w) * out_h);
    return to_float(x[((image * h + line) * w + column) * stride + channel]);
  }
};
template <class T>
struct Weight {
  const T* w;
  int64_t row, col;
  __device__ float operator()(int n, int k) const { return to_float(w[n * row + k * col]); }
};

template <class Tout, class X, class W>
__device__ void product(const X& x, const W& w, Tout* y, int64_t y_stride, int64_t m, int n, int k, float alpha) {
  __shared__ float xs[kDepth][kTile + 1], ws[kDepth][kTile + 1];
  int64_t row0 = int64_t(blockIdx.x) * kTile;
  int col0 = blockIdx.y * kTile, tx = threadIdx.x % 16, ty = threadIdx.x / 16;
  float sum[4][4] = {};
  after_previous();
  for (int k0 = 0; k0 < k; k0 += kDepth) {
    for (int i = threadIdx.x; i < kTile * kDepth; i += kThreads) {
      int d = i % kDepth, at = i / kDepth;
      xs[d][at] = row0 + at < m && k0 + d < k ? x(row0 + at, k0 + d) : 0;
      ws[d][at] = col0 + at < n && k0 + d < k ? w(col0 + at, k0 + d) : 0;
    }
    __syncthreads();
#pragma unroll
    for (int d = 0; d < kDepth; ++d)
#pragma unroll
      for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j) sum[i][j] += xs[d][ty + 16 * i] * ws[d][tx + 16 * j];
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 4; ++i)
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      int64_t r = row0 + ty + 16 * i;
      int c = col0 + tx + 16 * j;
      if (r < m && c < n) y[r * y_stride + c] = from_float<Tout>(alpha * sum[i][j]);
    }
}

template <class T, class Tout>
__global__ void __launch_bounds__(kThreads) product_kernel(ProductArgs a) {
  RowsOf<T> x{static_cast<const T*>(a.x) + blockIdx.z * a.x_batch, a.x_stride};
  Weight<T> w{static_cast<const T*>(a.w) + blockIdx.z * a.w_batch, a.w_row, a.w_col};
  product(x, w, static_cast<Tout*>(a.y) + blockIdx.z * a.y_batch, a.y_stride, a.m, a.n, a.k, a.alpha);
}

template <class T>
__global__ void __launch_bounds__(kThreads) convolution_kernel(ConvolutionArgs a) {
  int k = a.kernel_h * a.kernel_w * a.c;
  PatchesOf<T> x{static_cast<const T*>(a.x), a.x_stride, a.h, a.w_in, a.c, a.out_h, a.out_w, a.kernel_w, a.stride, a.pad};
  Weight<T> w{static_cast<const T*>(a.w), k, 1};
  product(x, w, static_cast<T*>(a.y), a.y_stride, int64_t(a.images) * a.out_h * a.out_w, a.out_c, k, 1.f);
}

unsigned tiles(int64_t n) { return unsigned((n + kTile - 1) / kTile); }
}  // namespace

void launch_product(cudaStream_t s, const ProductArgs& a) {
  dim3 grid(tiles(a.m), tiles(a.n), unsigned(a.batch));
  with_type(a.dtype, [&]<class T>(Type<T>) {
    if (a.y_dtype == a.dtype)
      start(s, grid, kThreads, 0, product_kernel<T, T>, a);
    else
      start(s, grid, kThreads, 0, product_kernel<T, float>, a);
  });
}

void launch_convolution(cudaStream_t s, const ConvolutionArgs& a) {
  dim3 grid(tiles(int64_t(a.images) * a.out_h * a.out_w), tiles(a.out_c));
  with_type(a.dtype, [&]<class T>(Type<T>) { start(s, grid, kThreads, 0, convolution_kernel<T>, a); });
}

}  // namespace hayate::cuda
