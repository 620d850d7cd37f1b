// What kernels share: starting, conversions, 16-byte packs, activations, reductions, launch shapes.
#pragma once
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

#include "backend/cuda/kernels/kernels.h"

namespace hayate::cuda {

// Programmatic dependent launch (Hopper and later): the blocks of a kernel that was begun by start() take their places while the last ones of
// the kernel before it still run. Each of its threads calls after_previous() before it reads what another kernel wrote, or writes anything;
// only what was there before the program ran, its weights, may be read earlier.
__device__ __forceinline__ void after_previous() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents; griddepcontrol.wait;" ::: "memory");
#endif
}
// Blocks in clusters of `cluster` along x.
template <class... P, class... A>
void start_clusters(cudaStream_t s, unsigned cluster, dim3 grid, dim3 block, size_t shared_bytes, void (*kernel)(P...), A&&... arguments) {
  int device = 0, major = 0;
  cudaGetDevice(&device);
  cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device);
  cudaLaunchAttribute attributes[2] = {};
  attributes[0].id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attributes[0].val.programmaticStreamSerializationAllowed = 1;
  attributes[1].id = cudaLaunchAttributeClusterDimension;
  attributes[1].val.clusterDim = {cluster, 1, 1};
  cudaLaunchConfig_t config{};
  config.gridDim = grid, config.blockDim = block, config.dynamicSmemBytes = shared_bytes, config.stream = s;
  config.attrs = attributes, config.numAttrs = major < 9 ? 0 : cluster > 1 ? 2 : 1;
  cudaLaunchKernelEx(&config, kernel, P(arguments)...);
}
template <class... P, class... A>
void start(cudaStream_t s, dim3 grid, dim3 block, size_t shared_bytes, void (*kernel)(P...), A&&... arguments) {
  start_clusters(s, 1, grid, block, shared_bytes, kernel, arguments...);
}

__device__ __forceinline__ float to_float(float x) { return x; }
__device__ __forceinline__ float to_float(__nv_bfloat16 x) { return __bfloat162float(x); }
__device__ __forceinline__ float to_float(__half x) { return __half2float(x); }
__device__ __forceinline__ float to_float(__nv_fp8_e4m3 x) { return float(x); }
__device__ __forceinline__ float to_float(int8_t x) { return x; }
template <class T> __device__ __forceinline__ T from_float(float x);
template <> __device__ __forceinline__ float from_float<float>(float x) { return x; }
template <> __device__ __forceinline__ __nv_bfloat16 from_float<__nv_bfloat16>(float x) { return __float2bfloat16_rn(x); }
template <> __device__ __forceinline__ __half from_float<__half>(float x) { return __float2half_rn(x); }

// N elements that move together, in accesses of up to 16 bytes.
template <class T, int N>
struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) Pack {
  T v[N];
};
template <int N, class T>
__device__ __forceinline__ void load(float (&to)[N], const T* from) {
  Pack<T, N> p = *reinterpret_cast<const Pack<T, N>*>(from);
#pragma unroll
  for (int i = 0; i < N; ++i) to[i] = to_float(p.v[i]);
}
template <int N, class T>
__device__ __forceinline__ void store(T* to, const float (&from)[N]) {
  Pack<T, N> p;
#pragma unroll
  for (int i = 0; i < N; ++i) p.v[i] = from_float<T>(from[i]);
  *reinterpret_cast<Pack<T, N>*>(to) = p;
}

// In eight bits, to nearest; what lies beyond float8 becomes its largest.
template <int N>
__device__ __forceinline__ void store(int8_t* to, const float (&from)[N]) {
  Pack<int8_t, N> p;
#pragma unroll
  for (int i = 0; i < N; ++i) p.v[i] = int8_t(__float2int_rn(from[i]));
  *reinterpret_cast<Pack<int8_t, N>*>(to) = p;
}
__device__ __forceinline__ __nv_fp8x2_storage_t two_float8(float a, float b) { return __nv_cvt_float2_to_fp8x2({a, b}, __NV_SATFINITE, __NV_E4M3); }
template <int N>
__device__ __forceinline__ void store(__nv_fp8_e4m3* to, const float (&from)[N]) {
  static_assert(N % 2 == 0);
  Pack<__nv_fp8x2_storage_t, N / 2> p;
#pragma unroll
  for (int i = 0; i < N / 2; ++i) p.v[i] = two_float8(from[2 * i], from[2 * i + 1]);
  *reinterpret_cast<Pack<__nv_fp8x2_storage_t, N / 2>*>(to) = p;
}

// NaN if either is.
__device__ __forceinline__ float max_or_nan(float a, float b) {
  asm("max.NaN.f32 %0, %0, %1;" : "+f"(a) : "f"(b));
  return a;
}

// 2^x to 2^-22 of it; 0 where that is below the normal numbers.
__device__ __forceinline__ float fast_exp2(float x) {
  asm("ex2.approx.ftz.f32 %0, %0;" : "+f"(x));
  return x;
}
// By the hardware's tanh, 2^-11 from the true one: for results that are rounded to 16 bits. gelu: the polynomial was fitted to the erf form, 3e-5.
__device__ __forceinline__ float approximate_tanh(float x) {
  asm("tanh.approx.f32 %0, %0;" : "+f"(x));
  return x;
}
template <Unary A>
__device__ __forceinline__ float activate_16bit(float x) {
  auto half_plus = [](float t) { return fmaf(t, 0.5f, 0.5f); };
  if constexpr (A == Unary::silu) return x * half_plus(approximate_tanh(0.5f * x));
  else if constexpr (A == Unary::gelu) {
    float square = fminf(x * x, 36.f);
    return x * half_plus(approximate_tanh(x * fmaf(square, fmaf(square, -3.5310623e-4f, 3.7015435e-2f), 0.79749712f)));
  } else if constexpr (A == Unary::quick_gelu) return x * half_plus(approximate_tanh(0.851f * x));
  else return x;
}
template <Unary A>
__device__ __forceinline__ float activate(float x) {
  if constexpr (A == Unary::silu) return x / (1 + __expf(-x));
  else if constexpr (A == Unary::gelu) return 0.5f * x * (1 + erff(x * 0.70710678118654752f));
  else if constexpr (A == Unary::quick_gelu) return x / (1 + __expf(-1.702f * x));
  else return x;
}
template <Unary A, class T>
__device__ __forceinline__ float activate_for(float x) {
  if constexpr (sizeof(T) <= 2) return activate_16bit<A>(x);
  else return activate<A>(x);
}

__device__ __forceinline__ float warp_sum(float x) {
#pragma unroll
  for (int d = 16; d > 0; d /= 2) x += __shfl_xor_sync(0xffffffffu, x, d);
  return x;
}
__device__ __forceinline__ float warp_max(float x) {
#pragma unroll
  for (int d = 16; d > 0; d /= 2) x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, d));
  return x;
}
// Over a block of up to 1024 threads, in a fixed order; every thread gets the result. `scratch`: 32 floats.
template <class Op>
__device__ __forceinline__ float block_reduce(float x, float* scratch, float neutral, Op op) {
  x = op(x);
  int warp = threadIdx.x / 32, lane = threadIdx.x % 32, warps = (blockDim.x + 31) / 32;
  __syncthreads();
  if (lane == 0) scratch[warp] = x;
  __syncthreads();
  return op(lane < warps ? scratch[lane] : neutral);
}
__device__ __forceinline__ float block_sum(float x, float* scratch) { return block_reduce(x, scratch, 0.f, warp_sum); }
__device__ __forceinline__ float block_max(float x, float* scratch) { return block_reduce(x, scratch, -INFINITY, warp_max); }

template <class T> struct Type { using type = T; };
template <class F>
void with_type(Dtype t, F f) {
  if (t == Dtype::f32) f(Type<float>{});
  else if (t == Dtype::bf16) f(Type<__nv_bfloat16>{});
  else f(Type<__half>{});
}
template <Unary A> struct UnaryTag { static constexpr Unary value = A; };
template <class F>
void with_unary(Unary a, F f) {
  switch (a) {
    case Unary::copy: return f(UnaryTag<Unary::copy>{});
    case Unary::silu: return f(UnaryTag<Unary::silu>{});
    case Unary::gelu: return f(UnaryTag<Unary::gelu>{});
    case Unary::quick_gelu: return f(UnaryTag<Unary::quick_gelu>{});
  }
}

// Whether rows of the matrix can be read `n` elements at a time.
inline bool divisible(const Matrix& m, int n) {
  int64_t bytes = n * size_of(m.dtype), align = bytes < 16 ? bytes : 16;
  return reinterpret_cast<uintptr_t>(m.data) % uint64_t(align) == 0 && m.stride * size_of(m.dtype) % align == 0 && m.cols % n == 0;
}

// One thread for each pack of columns in as many rows as fill a block of 256.
struct RowGrid {
  dim3 grid, block;
  RowGrid(int64_t rows, int packs) {
    block.x = packs < 256 ? packs : 256;
    block.y = 256 / block.x;
    grid.x = unsigned((rows + block.y - 1) / block.y);
  }
};
#define HAYATE_FOR_ROW_PACKS(row, pack, rows, packs)                                   \
  if (int64_t row = int64_t(blockIdx.x) * blockDim.y + threadIdx.y; row < (rows))      \
    for (int pack = threadIdx.x; pack < (packs); pack += blockDim.x)

}  // namespace hayate::cuda
