// What a tile of a product needs beside the products: bias and sums or scales of its rows of the weight, moments of its rows, the parts of a split tile.
#pragma once
#include "backend/cuda/kernels/product_sm90.h"
#include "backend/cuda/kernels/ptx_sm90.cuh"
#include "backend/cuda/kernels/tile_layout.h"

namespace hayate::cuda {

// Over four neighbouring lanes.
__device__ __forceinline__ float2 sum_of_four(float2 v) {
#pragma unroll
  for (int d = 1; d < 4; d *= 2) v.x += __shfl_xor_sync(0xffffffffu, v.x, d), v.y += __shfl_xor_sync(0xffffffffu, v.y, d);
  return v;
}

// Sums over a tile's columns of a thread's two rows: part `n` of those of the whole row, of which there are `tiles`. Parts beyond are 0.
__device__ __forceinline__ void write_moments(const TileProduct& p, const BoxPlace& box, int row, bool writes, const float2 (&moments)[2], int n, int tiles) {
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    float2 m = sum_of_four(moments[half]);
    int token = box.x + row + half * 8;
    if (!writes || token >= p.line || box.image >= p.images) continue;
    float2* to = p.y_moments + int64_t(box.image * p.line + token) * p.y_parts;
    to[n] = m;
    for (int part = n + tiles; part < p.y_parts; part += tiles) to[part] = {};
  }
}

// Where a box's sums of columns go, and how many of its pixels are inside the image.
struct BoxColumns {
  float2* to = nullptr;  // null: nothing of the box is to be summed
  int right, below;

  __device__ __forceinline__ BoxColumns() {}
  __device__ __forceinline__ BoxColumns(const TileProduct& p, const BoxPlace& box, int phase) : right(p.line - box.x), below(p.lines - box.y) {
    if (box.image >= p.images) return;
    const int number = box.y / p.box_h * p.boxes_w + box.x / p.box_w;
    to = p.y_columns + ((int64_t(box.image) * p.phases + phase) * p.boxes_h * p.boxes_w + number) * p.columns;
  }
};

// Sums and sums of squares of a box's columns as they are stored: from shared memory, where `panels` of the result lie. Every fourth panel is a
// warp's; eight lanes share a pixel, a lane has four columns.
template <int Panels, class T>
__device__ __forceinline__ void write_column_sums(const TileProduct& p, const BoxColumns& box, uint32_t panels, int first) {
  static_assert(sizeof(T) == 2);
  if (!box.to) return;
  const int warp = threadIdx.x / 32 % 4, lane = threadIdx.x % 32, eighth = lane % 8;
  uint32_t at[2];  // the pattern of addresses repeats after eight rows
#pragma unroll
  for (int i = 0; i < 2; ++i) at[i] = panels + swizzled<64>(lane / 8 + 4 * i, eighth / 2) + eighth % 2 * 8;
#pragma unroll
  for (int panel = warp; panel < Panels; panel += 4) {
    float2 sums[4] = {};
    auto add_rows = [&](auto inside) {
#pragma unroll
      for (int i = 0; i < kBoxPixels / 4; ++i) {
        const uint2 four = load_shared<uint2>(at[i % 2] + panel * kBoxPixels * kStoreBytes + i / 2 * 8 * kStoreBytes);
        const auto v = *reinterpret_cast<const Pack<T, 4>*>(&four);
#pragma unroll
        for (int c = 0; c < 4; ++c) {
          const float a = inside(lane / 8 + 4 * i) ? to_float(v.v[c]) : 0;
          sums[c].x += a, sums[c].y += a * a;
        }
      }
    };
    if (box.right >= p.box_w && box.below >= p.box_h) add_rows([](int) { return true; });
    else add_rows([&](int row) { return row % p.box_w < box.right && row / p.box_w < box.below; });
#pragma unroll
    for (int d = 8; d < 32; d *= 2)
#pragma unroll
      for (float2& s : sums) s.x += __shfl_xor_sync(0xffffffffu, s.x, d), s.y += __shfl_xor_sync(0xffffffffu, s.y, d);
    const int column = first + panel * kStoreBytes / 2 + eighth * 4;
    if (lane >= 8 || column >= p.columns) continue;
    *reinterpret_cast<float4*>(box.to + column) = {sums[0].x, sums[0].y, sums[1].x, sums[1].y};
    *reinterpret_cast<float4*>(box.to + column + 2) = {sums[2].x, sums[2].y, sums[3].x, sums[3].y};
  }
}

// The one scale of a result in float8, beside a thread's two rows.
__device__ __forceinline__ void write_scale(const TileProduct& p, const BoxPlace& box, int row, bool writes) {
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int token = box.x + row + half * 8;
    if (writes && token < p.line && box.image < p.images) p.y_scales[int64_t(box.image) * p.line + token] = *p.y_scale;
  }
}

// A split tile's other parts, summed in the first block's shared memory in the order of the blocks. `sums` has room for each, where stages were.
template <class S, int N>
__device__ __forceinline__ void add_parts(S (&sum)[N], uint32_t sums, int part, int parts) {
  using Four = std::conditional_t<std::is_same_v<S, int>, int4, float4>;
  constexpr int bytes = 2 * 128 * N * 4;  // of one part, both warpgroups
  uint32_t own = sums + (threadIdx.x - 128) * 16;
  if (part > 0)
#pragma unroll
    for (int i = 0; i < N / 4; ++i)
      store_remote(own + (part - 1) * bytes + i * 256 * 16, 0, Four{sum[4 * i], sum[4 * i + 1], sum[4 * i + 2], sum[4 * i + 3]});
  sync_cluster();
  if (part > 0) return;
  for (int p = 1; p < parts; ++p)
#pragma unroll
    for (int i = 0; i < N / 4; ++i) {
      Four v = load_shared<Four>(own + (p - 1) * bytes + i * 256 * 16);
      sum[4 * i] += v.x, sum[4 * i + 1] += v.y, sum[4 * i + 2] += v.z, sum[4 * i + 3] += v.w;
    }
}

// Bias and factors (TileProduct::weight_rows) of a tile's rows of the weight, in the order of the tile's columns, on their way into shared memory; 0 where there are none.
template <int Columns, bool Geglu>
__device__ __forceinline__ void fetch_vectors(const TileProduct& p, uint32_t to, int n) {
  int rows = Geglu ? 2 * p.columns : p.columns;
  for (int i = threadIdx.x % 128; i < Columns; i += 128) {
    int row = n * Columns + i, plain = Geglu ? int(interleaved_row(row, p.columns)) : row;
    copy_async_word(to + i * 4, p.bias + plain, p.bias && row < rows);
    copy_async_word(to + (Columns + i) * 4, p.weight_rows + int64_t(row) * p.weight_stride, p.weight_rows && row < rows);
  }
  commit_copies();
}

// What a thread knows of its two rows in a box of a linear: by how much to shift and scale what it sums. Four lanes share a row. The loads
// are on the way while the products are computed.
struct RowNorm {
  static constexpr int kEarly = 3;
  float2 part[2][kEarly];
  float mean[2] = {0, 0}, scale[2] = {1, 1};

  static __device__ __forceinline__ int row_of(const TileProduct& p, const BoxPlace& box, int row) {
    return min(box.image * p.line + box.x + row, p.images * p.line - 1);
  }
  static __device__ __forceinline__ const float2* moments_of(const TileProduct& p, const BoxPlace& box, int row) {
    return p.x_moments + int64_t(row_of(p, box, row)) * p.x_parts;
  }
  __device__ __forceinline__ void start(const TileProduct& p, const BoxPlace& box, int row, int lane) {
    if (!p.x_moments) return;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float2* from = moments_of(p, box, row + half * 8);
#pragma unroll
      for (int k = 0; k < kEarly; ++k) part[half][k] = lane % 4 + 4 * k < p.x_parts ? from[lane % 4 + 4 * k] : float2{};
    }
  }
  __device__ __forceinline__ void finish(const TileProduct& p, const BoxPlace& box, int row, int lane) {
    if (!p.x_moments) return;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float2 total = {};
#pragma unroll
      for (int k = 0; k < kEarly; ++k) total.x += part[half][k].x, total.y += part[half][k].y;
      for (int i = lane % 4 + 4 * kEarly; i < p.x_parts; i += 4) {
        float2 v = moments_of(p, box, row + half * 8)[i];
        total.x += v.x, total.y += v.y;
      }
      total = sum_of_four(total);
      mean[half] = total.x * p.inverse_inner;
      scale[half] = rsqrtf(fmaxf(total.y * p.inverse_inner - mean[half] * mean[half], 0.f) + p.eps);
    }
  }
  // Of a sum in row half 0 or 1; `of_weight`: the sum of the weight's row.
  __device__ __forceinline__ float operator()(int half, float sum, float of_weight) const { return (sum - mean[half] * of_weight) * scale[half]; }
};

// The same where the factors have eight bits; `of_weight`: the scale of the weight's row.
struct RowScale {
  float scale[2];

  __device__ __forceinline__ void start(const TileProduct& p, const BoxPlace& box, int row, int) {
#pragma unroll
    for (int half = 0; half < 2; ++half)
      scale[half] = p.x_scales[p.image_scales ? min(box.image, p.images - 1) * p.image_scales : RowNorm::row_of(p, box, row + half * 8)];
  }
  __device__ __forceinline__ void finish(const TileProduct&, const BoxPlace&, int, int) {}
  template <class S>
  __device__ __forceinline__ float operator()(int half, S sum, float of_weight) const { return float(sum) * (scale[half] * of_weight); }
};

}  // namespace hayate::cuda
