// The largest that a result may become (BoundAttr), by one block: it is found at load, or once for a prompt.
#include "backend/cuda/kernels/device.cuh"
#include "backend/cuda/kernels/tile_layout.h"

namespace hayate::cuda {

namespace {
constexpr int kThreads = 1024;

__device__ __forceinline__ float block_max_or_nan(float x, float* scratch) {
  return block_reduce(x, scratch, 0.f, [](float v) {
#pragma unroll
    for (int d = 16; d > 0; d /= 2) v = max_or_nan(v, __shfl_xor_sync(0xffffffffu, v, d));
    return v;
  });
}

template <class T>
__global__ void __launch_bounds__(kThreads) bound_kernel(BoundArgs a) {
  __shared__ float scratch[32];
  after_previous();
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  float most[2] = {0, 0}, most_b = 0;  // of the upper and the lower half
  for (int64_t i = warp; i < a.count; i += kThreads / 32) {
    const int64_t row = a.begin + i;
    const T* x = static_cast<const T*>(a.x.data) + row * a.x.stride;
    const float scale = a.x_scales ? a.x_scales[row] : 1;
    float square = 0, largest = 0;
    for (int c = lane; c < a.x.cols; c += 32) {
      const float v = to_float(x[c]) * scale;
      square += v * v;
      largest = max_or_nan(largest, fabsf(v));
    }
    if (a.rows) {
      const int64_t half = a.count / 2, plain = a.interleaved ? interleaved_row(i, half) : i;
      const float bound = a.norm * sqrtf(warp_sum(square)) + (a.b ? fabsf(a.b[a.begin + plain]) : 0);
      float& to = most[a.gated && plain >= half];
      to = max_or_nan(to, bound);
    } else {
      most[0] = max_or_nan(most[0], a.norm * largest);
    }
  }
  if (!a.rows && a.b)
    for (int c = threadIdx.x; c < a.b_count; c += kThreads) most_b = max_or_nan(most_b, fabsf(a.b[c]));
  const float first = block_max_or_nan(most[0], scratch), second = block_max_or_nan(most[1], scratch), b = block_max_or_nan(most_b, scratch);
  if (threadIdx.x == 0) {
    const float most = a.gated ? first * second : first + b;
    *a.y = (most == 0 ? 1 : most) / a.largest_number;  // zeros have any scale but none
  }
}
}  // namespace

void launch_bound(cudaStream_t s, const BoundArgs& a) {
  auto run = [&]<class T>(Type<T>) { start(s, 1, kThreads, 0, bound_kernel<T>, a); };
  if (a.x.dtype == Dtype::f8) run(Type<__nv_fp8_e4m3>{});
  else if (a.x.dtype == Dtype::i8) run(Type<int8_t>{});
  else with_type(a.x.dtype, run);
}

}  // namespace hayate::cuda
