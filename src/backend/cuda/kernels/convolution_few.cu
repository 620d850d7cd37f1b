// Convolutions to a few channels (a latent's four, a picture's three): too narrow for matrix tiles, bound by reading the image. Eight lanes
// share a pixel, each takes every eighth pack of channels; the filter lies in shared memory as float32.
#include "backend/cuda/kernels/device.cuh"

namespace hayate::cuda {

namespace {
constexpr int kThreads = 256, kLanes = 8, kPixels = kThreads / kLanes;

template <int Outputs, class T>
__global__ void __launch_bounds__(kThreads) convolution_few_kernel(ConvolutionArgs a) {
  constexpr int N = 16 / sizeof(T);
  extern __shared__ float filter[];  // (outputs, taps, channels)
  int taps = a.kernel_h * a.kernel_w, each = taps * a.c, lane = threadIdx.x % kLanes;
  for (int i = threadIdx.x; i < Outputs * each; i += kThreads) filter[i] = i < a.out_c * each ? to_float(static_cast<const T*>(a.w)[i]) : 0;
  after_previous();
  __syncthreads();
  int64_t pixels = int64_t(a.images) * a.out_h * a.out_w;
  for (int64_t first = int64_t(blockIdx.x) * kPixels; first < pixels; first += int64_t(gridDim.x) * kPixels) {
    int64_t pixel = first + threadIdx.x / kLanes;  // past the end: computes nothing, but takes part in the sums
    int column = int(pixel % a.out_w) * a.stride - a.pad, line = int(pixel / a.out_w % a.out_h) * a.stride - a.pad;
    const T* image = static_cast<const T*>(a.x) + pixel / (int64_t(a.out_w) * a.out_h) * a.h * a.w_in * a.x_stride;
    float sum[Outputs] = {};
    for (int tap = 0; tap < taps && pixel < pixels; ++tap) {
      int y = line + tap / a.kernel_w, x = column + tap % a.kernel_w;
      if (y < 0 || x < 0 || y >= a.h || x >= a.w_in) continue;
      const T* from = image + (int64_t(y) * a.w_in + x) * a.x_stride;
      for (int c = lane * N; c < a.c; c += kLanes * N) {
        float v[N];
        load(v, from + c);
#pragma unroll
        for (int o = 0; o < Outputs; ++o) {
          const float* w = filter + o * each + tap * a.c + c;
#pragma unroll
          for (int i = 0; i < N; i += 4) {
            float4 f = *reinterpret_cast<const float4*>(w + i);
            sum[o] += v[i] * f.x + v[i + 1] * f.y + v[i + 2] * f.z + v[i + 3] * f.w;
          }
        }
      }
    }
#pragma unroll
    for (int o = 0; o < Outputs; ++o)
#pragma unroll
      for (int d = kLanes / 2; d > 0; d /= 2) sum[o] += __shfl_xor_sync(0xffffffffu, sum[o], d);
    if (lane == 0 && pixel < pixels) {
#pragma unroll
      for (int o = 0; o < Outputs; ++o)
        if (o < a.out_c) static_cast<T*>(a.y)[pixel * a.y_stride + o] = from_float<T>(sum[o]);
    }
  }
}
}  // namespace

bool convolution_few_takes(const ConvolutionArgs& a) {
  Matrix x{const_cast<void*>(a.x), 0, a.x_stride, a.c, a.dtype};
  return a.out_c <= 4 && a.c % 4 == 0 && divisible(x, int(16 / size_of(a.dtype))) && 4 * a.kernel_h * a.kernel_w * a.c * int(sizeof(float)) <= 48 << 10;
}

void launch_convolution_few(cudaStream_t s, const ConvolutionArgs& a, int multiprocessors) {
  int64_t pixels = int64_t(a.images) * a.out_h * a.out_w, blocks = (pixels + kPixels - 1) / kPixels;
  size_t bytes = size_t(4) * a.kernel_h * a.kernel_w * a.c * sizeof(float);
  with_type(a.dtype, [&]<class T>(Type<T>) {
    start(s, unsigned(min(blocks, int64_t(multiprocessors) * 8)), kThreads, bytes, convolution_few_kernel<4, T>, a);
  });
}

}  // namespace hayate::cuda
