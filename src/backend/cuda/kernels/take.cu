// Numbers of someone else's array into ours: any strides, any float type, and whether all are finite, in one pass.
#include "backend/cuda/kernels/device.cuh"
#include "backend/cuda/kernels/take.h"

namespace hayate::cuda {

namespace {
template <class T>
__global__ void take_kernel(TakeArgs a, int64_t count) {
  after_previous();
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += int64_t(gridDim.x) * blockDim.x) {
    int64_t rest = i, at = 0;
#pragma unroll
    for (int d = 3; d >= 0; --d) {
      at += rest % a.shape[d] * a.strides[d];
      rest /= a.shape[d];
    }
    const float x = to_float(static_cast<const T*>(a.from)[at]);
    if (!isfinite(x)) *a.not_finite = 1;
    a.to[i / a.shape[3] * a.width + i % a.shape[3]] = x * a.factor;
  }
}
}  // namespace

void launch_take(cudaStream_t s, const TakeArgs& a) {
  constexpr int64_t kThreads = 256, kBlocks = 1024;
  const int64_t count = a.shape[0] * a.shape[1] * a.shape[2] * a.shape[3], blocks = (count + kThreads - 1) / kThreads;
  with_type(a.type, [&]<class T>(Type<T>) { start(s, unsigned(blocks < kBlocks ? blocks : kBlocks), kThreads, 0, take_kernel<T>, a, count); });
}

}  // namespace hayate::cuda
