// Rows in eight bits with a scale each. The largest of a row, and what normalises it, is found in registers: a row is read once.
#include "backend/cuda/kernels/device.cuh"

namespace hayate::cuda {

namespace {
constexpr int kThreads = 128, kPack = 8;

// Over the threads of a row: a warp, or all of a block.
template <int Warps, class Op>
__device__ __forceinline__ float over_row(float x, float* scratch, Op op) {
#pragma unroll
  for (int d = 16; d > 0; d /= 2) x = op(x, __shfl_xor_sync(0xffffffffu, x, d));
  if constexpr (Warps > 1) {
    __syncthreads();
    if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = x;
    __syncthreads();
    x = scratch[0];
#pragma unroll
    for (int w = 1; w < Warps; ++w) x = op(x, scratch[w]);
  }
  return x;
}

// Warps (1 or 4) for each row, P packs a thread.
template <int Warps, int P, class Q, class T>
__global__ void __launch_bounds__(kThreads)
    quantize_kernel(Q* y, float* scales, float largest_number, const T* x, int64_t x_stride, float eps, int64_t rows, int packs) {
  __shared__ float scratch[4];
  after_previous();
  constexpr int kRowThreads = 32 * Warps;
  const int thread = threadIdx.x % kRowThreads;
  const int64_t r = int64_t(blockIdx.x) * (kThreads / kRowThreads) + threadIdx.x / kRowThreads;
  if (r >= rows) return;
  auto plus = [](float a, float b) { return a + b; };
  float v[P][kPack], sum = 0, square = 0, most = 0, mean = 0, inverse = 1;
  auto each = [&](auto f) {
#pragma unroll
    for (int k = 0; k < P; ++k)
      if (int p = k * kRowThreads + thread; p < packs) f(v[k], p);
  };
  each([&](auto& pack, int p) {
    load(pack, x + r * x_stride + p * kPack);
#pragma unroll
    for (int i = 0; i < kPack; ++i) sum += pack[i];
  });
  if (eps > 0) mean = over_row<Warps>(sum, scratch, plus) / float(packs * kPack);
  each([&](auto& pack, int) {
#pragma unroll
    for (int i = 0; i < kPack; ++i) {
      pack[i] -= mean;
      square += pack[i] * pack[i];
      most = max_or_nan(most, fabsf(pack[i]));
    }
  });
  if (eps > 0) inverse = rsqrtf(over_row<Warps>(square, scratch, plus) / float(packs * kPack) + eps);
  most = over_row<Warps>(most, scratch, max_or_nan);
  const float factor = most == 0 ? 0 : largest_number / most;
  if (thread == 0) scales[r] = most * inverse / largest_number;
  each([&](auto& pack, int p) {
#pragma unroll
    for (int i = 0; i < kPack; ++i) pack[i] *= factor;
    store(y + r * packs * kPack + p * kPack, pack);
  });
}

template <class Q, class T>
void launch(cudaStream_t s, const QuantizeArgs& a) {
  const int packs = a.x.cols / kPack;
  auto run = [&]<int Warps, int P>(std::integral_constant<int, Warps>, std::integral_constant<int, P>) {
    constexpr int kRows = kThreads / (32 * Warps);
    start(s, unsigned((a.x.rows + kRows - 1) / kRows), kThreads, 0, quantize_kernel<Warps, P, Q, T>, static_cast<Q*>(a.y), a.scales, a.largest_number,
          static_cast<const T*>(a.x.data), a.x.stride, a.eps, a.x.rows, packs);
  };
  constexpr std::integral_constant<int, 1> one;
  constexpr std::integral_constant<int, 4> four;
  if (packs <= 3 * 32) run(one, std::integral_constant<int, 3>{});
  else if (packs <= 5 * 32) run(one, std::integral_constant<int, 5>{});
  else if (packs <= 5 * 128) run(four, std::integral_constant<int, 5>{});
  else run(four, std::integral_constant<int, 24>{});
}
}  // namespace

bool quantize_takes(const Matrix& x) { return x.dtype != Dtype::i32 && divisible(x, kPack) && x.cols <= kMostQuantizedColumns; }

void launch_quantize(cudaStream_t s, const QuantizeArgs& a) {
  with_type(a.x.dtype, [&]<class T>(Type<T>) {
    if (a.type == Dtype::i8) launch<int8_t, T>(s, a);
    else launch<__nv_fp8_e4m3, T>(s, a);
  });
}

}  // namespace hayate::cuda
