// Products of 8-bit factors on GPUs before Hopper: int8 from sm_80 on, float8 from sm_89. A block of eight warps makes 128 x 128 outputs, 64 x 32 a
// warp; factors come 64 bytes of each row at a time, three stages ahead.
#include "backend/cuda/kernels/ptx.cuh"
#include "backend/cuda/kernels/tile_layout.h"

namespace hayate::cuda {

namespace {
constexpr int kTile = 128, kBytes = 64, kStages = 4, kThreads = 256, kTileBytes = kTile * kBytes;
constexpr int kShared = kStages * 2 * kTileBytes;

// d (16 x 8) += a (16 x 32) b (32 x 8), all as in multiply() of ptx.cuh, with bytes where that has half as many numbers.
template <class F>
__device__ __forceinline__ void multiply_narrow(SumOf<F> (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  if constexpr (std::is_same_v<F, int8_t>)
    asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  else
#if __CUDA_ARCH__ >= 890
    asm volatile("mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#else
    __trap();  // supports() says so
#endif
}

// Bytes [at, at + 64) of 128 rows from `first` on; zeros beyond the matrix.
__device__ __forceinline__ void load_rows(uint8_t* to, const void* from, int64_t first, int64_t rows, int columns, int at) {
  for (int i = threadIdx.x; i < kTile * (kBytes / 16); i += kThreads) {
    const int r = i / (kBytes / 16), piece = i % (kBytes / 16), column = at + piece * 16;
    const bool valid = first + r < rows && column < columns;
    const auto* source = static_cast<const uint8_t*>(from) + (valid ? (first + r) * columns + column : 0);
    copy_async(to + swizzled<kBytes>(r, piece), source, valid);
  }
}

template <class F, class T>
__global__ void __launch_bounds__(kThreads) narrow_product_kernel(NarrowProductArgs a) {
  extern __shared__ __align__(128) uint8_t memory[];
  auto x_at = [&](int stage) { return memory + stage * 2 * kTileBytes; };
  auto w_at = [&](int stage) { return memory + (stage * 2 + 1) * kTileBytes; };
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, warp_row = warp / 4 * 64, warp_column = warp % 4 * 32;
  const int64_t row0 = int64_t(blockIdx.x) * kTile;
  const int column0 = blockIdx.y * kTile, steps = (a.k + kBytes - 1) / kBytes;
  auto fetch = [&](int step) {
    if (step < steps) {
      load_rows(x_at(step % kStages), a.x, row0, a.m, a.k, step * kBytes);
      load_rows(w_at(step % kStages), a.w, column0, a.n, a.k, step * kBytes);
    }
    commit_copies();
  };

  after_previous();
  for (int s = 0; s < kStages - 1; ++s) fetch(s);
  SumOf<F> sum[4][4][4] = {};
  for (int step = 0; step < steps; ++step) {
    wait_copies<kStages - 2>();
    __syncthreads();  // this step is there, and everyone has left the stage that is filled next
    fetch(step + kStages - 1);
    const uint8_t *x = x_at(step % kStages), *w = w_at(step % kStages);
#pragma unroll
    for (int part = 0; part < kBytes / 32; ++part) {
      uint32_t rows[4][4], columns[2][4];
#pragma unroll
      for (int i = 0; i < 4; ++i) load_matrices(rows[i], x + swizzled<kBytes>(warp_row + i * 16 + lane % 16, part * 2 + lane / 16));
#pragma unroll
      for (int j = 0; j < 2; ++j)
        load_matrices(columns[j], w + swizzled<kBytes>(warp_column + j * 16 + lane / 16 * 8 + lane % 8, part * 2 + lane / 8 % 2));
#pragma unroll
      for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j) multiply_narrow<F>(sum[i][j], rows[i], columns[j / 2][j % 2 * 2], columns[j / 2][j % 2 * 2 + 1]);
    }
  }

#pragma unroll
  for (int i = 0; i < 4; ++i)
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int64_t row = row0 + warp_row + i * 16 + half * 8 + lane / 4;
      if (row >= a.m) continue;
      const float scale = a.x_scales[row];
      T* y = static_cast<T*>(a.y) + row * a.y_stride;
      const T* residual = a.residual ? static_cast<const T*>(a.residual) + row / a.residual_repeat * a.residual_stride : nullptr;
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const int column = column0 + warp_column + j * 8 + lane % 4 * 2;
        if (column >= a.n) continue;  // both: there is an even number of columns
        float v[2];
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          v[e] = float(sum[i][j][2 * half + e]) * (scale * a.w_scales[column + e]) + (a.bias ? a.bias[column + e] : 0);
          if (residual) v[e] += to_float(residual[column + e]);
        }
        *reinterpret_cast<uint32_t*>(y + column) = pack<T>(v[0], v[1]);
      }
    }
}

template <class F, class T>
void launch(cudaStream_t s, const NarrowProductArgs& a) {
  cudaFuncSetAttribute(narrow_product_kernel<F, T>, cudaFuncAttributeMaxDynamicSharedMemorySize, kShared);
  start(s, dim3(unsigned((a.m + kTile - 1) / kTile), unsigned((a.n + kTile - 1) / kTile)), kThreads, kShared, narrow_product_kernel<F, T>, a);
}
}  // namespace

void launch_narrow_product(cudaStream_t s, const NarrowProductArgs& a) {
  const bool bf16 = a.result == Dtype::bf16;
  if (a.factor == Dtype::i8) bf16 ? launch<int8_t, __nv_bfloat16>(s, a) : launch<int8_t, __half>(s, a);
  else bf16 ? launch<__nv_fp8_e4m3, __nv_bfloat16>(s, a) : launch<__nv_fp8_e4m3, __half>(s, a);
}

}  // namespace hayate::cuda
