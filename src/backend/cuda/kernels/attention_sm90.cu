// Attention on Hopper (Shah et al. 2024, FlashAttention-3, for heads of 64): in each of two or three blocks on a multiprocessor one warp loads keys
// and values through the copy engine, one warpgroup takes 64 queries. While the matrix units multiply the next scores and the last weights, it
// computes its exponentials. Small blocks are faster than one of two warpgroups: fewer wait at the end.
#include "backend/cuda/kernels/attention_sm90.h"
#include "backend/cuda/kernels/tile_layout.h"
#include "backend/cuda/kernels/wgmma_sm90.cuh"

namespace hayate::cuda {

namespace {
constexpr int kThreads = 256;  // a warpgroup that loads, one that multiplies
constexpr int kQueries = 64, kStages = 3;
constexpr int kQueryBytes = kQueries * kTileHead * 2;
constexpr float kLog2e = 1.4426950408889634f;

template <int Keys>
struct Memory {
  static constexpr int tile_bytes = Keys * kTileHead * 2;
  static constexpr int barriers = kQueryBytes + 2 * kStages * tile_bytes, bytes = barriers + 128 + 1024;
  static constexpr int blocks = Keys > 80 ? 2 : 3;  // on a multiprocessor
  static constexpr int registers = blocks == 2 ? 232 : 136;  // of a thread that multiplies
};

// What a warpgroup knows about its 64 rows; each thread about two of them.
template <class T, int Keys>
struct Rows {
  float out[kTileHead / 2] = {}, most[2] = {-INFINITY, -INFINITY}, sum[2] = {};
  uint32_t weights[Keys / 16][4];

  // Weights of a tile from its scores; returns in `shrink` by how much what was summed before must be multiplied.
  __device__ __forceinline__ void soften(float (&s)[Keys / 2], float scale, float (&shrink)[2]) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float top = most[half];
#pragma unroll
      for (int n = 0; n < Keys / 8; ++n) top = fmaxf(top, fmaxf(s[4 * n + 2 * half], s[4 * n + 2 * half + 1]));
      top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 1));
      top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 2));
      shrink[half] = fast_exp2((most[half] - top) * scale);
      most[half] = top;
      float offset = top * scale, added = 0;
#pragma unroll
      for (int n = 0; n < Keys / 8; ++n)
#pragma unroll
        for (int i = 4 * n + 2 * half; i < 4 * n + 2 * half + 2; ++i) {
          s[i] = fast_exp2(fmaf(s[i], scale, -offset));
          added += s[i];
        }
      sum[half] = sum[half] * shrink[half] + added;
    }
  }
  __device__ __forceinline__ void round_weights(const float (&s)[Keys / 2]) {
#pragma unroll
    for (int t = 0; t < Keys / 16; ++t)
#pragma unroll
      for (int i = 0; i < 4; ++i) weights[t][i] = pack<T>(s[8 * t + 4 * (i / 2) + 2 * (i % 2)], s[8 * t + 4 * (i / 2) + 2 * (i % 2) + 1]);
  }
  __device__ __forceinline__ void rescale(const float (&shrink)[2]) {
#pragma unroll
    for (int i = 0; i < kTileHead / 2; ++i) out[i] *= shrink[i / 2 % 2];
  }
};

template <class T, int Keys>
__device__ __forceinline__ void start_scores(float (&s)[Keys / 2], uint32_t queries, uint32_t keys) {
  uint64_t q = factor(queries), k = factor(keys);
#pragma unroll
  for (int i = 0; i < kTileHead / 16; ++i) warpgroup_multiply<Keys, T>(s, advance(q, i * 32), advance(k, i * 32), i > 0);
  warpgroup_commit();
}
template <class T, int Keys>
__device__ __forceinline__ void start_mix(Rows<T, Keys>& rows, uint32_t values) {
  uint64_t v = factor(values);
#pragma unroll
  for (int t = 0; t < Keys / 16; ++t) warpgroup_multiply<kTileHead, T>(rows.out, rows.weights[t], advance(v, t * 2048), 1);
  warpgroup_commit();
}
template <int Keys>
__device__ __forceinline__ void mask(float (&s)[Keys / 2], int valid) {
#pragma unroll
  for (int n = 0; n < Keys / 8; ++n)
#pragma unroll
    for (int i = 0; i < 4; ++i)
      if (n * 8 + threadIdx.x % 4 * 2 + i % 2 >= valid) s[4 * n + i] = -INFINITY;
}

template <class T, int Keys>
__global__ void __launch_bounds__(kThreads, Memory<Keys>::blocks) tile_attention_kernel(const __grid_constant__ TileAttention a) {
  using M = Memory<Keys>;
  extern __shared__ uint8_t memory[];
  uint32_t base = (shared_address(memory) + 1023) / 1024 * 1024;
  auto keys_at = [&](int stage) { return base + kQueryBytes + 2 * stage * M::tile_bytes; };
  auto values_at = [&](int stage) { return keys_at(stage) + M::tile_bytes; };
  auto barrier = [&](int i) { return Barrier{base + M::barriers + i * 8}; };
  auto keys_there = [&](int stage) { return barrier(stage); };
  auto values_there = [&](int stage) { return barrier(kStages + stage); };
  auto keys_free = [&](int stage) { return barrier(2 * kStages + stage); };
  auto values_free = [&](int stage) { return barrier(3 * kStages + stage); };
  Barrier queries_there = barrier(4 * kStages);
  int group = threadIdx.x / 128, lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  int first = blockIdx.x * kQueries, column = blockIdx.y * kTileHead, image = blockIdx.z, tiles = (a.keys + Keys - 1) / Keys;

  if (threadIdx.x == 0) {
    for (int s = 0; s < kStages; ++s) {
      keys_there(s).init(1), values_there(s).init(1);
      keys_free(s).init(4), values_free(s).init(4);  // a lane of each multiplying warp
    }
    queries_there.init(1);
    fence_barrier_init();
  }
  __syncthreads();
  after_previous();

  if (group == 0) {
    give_registers<24>();
    if (threadIdx.x == 0) {
      queries_there.arrive_and_expect(kQueryBytes);
      load_box(base, a.q, queries_there, column, first, image);
      for (int t = 0; t < tiles; ++t) {
        int stage = t % kStages, phase = t / kStages % 2;
        keys_free(stage).wait(phase ^ 1);
        keys_there(stage).arrive_and_expect(M::tile_bytes);
        load_box(keys_at(stage), a.k, keys_there(stage), column, t * Keys, image);
        values_free(stage).wait(phase ^ 1);
        values_there(stage).arrive_and_expect(M::tile_bytes);
        load_box(values_at(stage), a.v, values_there(stage), column, t * Keys, image);
      }
    }
    return;
  }

  take_registers<M::registers>();
  const float narrow = a.y_scale ? 1 / *a.y_scale : 1;  // by what a result in eight bits is stored
  float scale = a.scale * kLog2e, scores[Keys / 2], shrink[2];
  Rows<T, Keys> rows;
  auto release = [&](Barrier b) {
    if (lane == 0) b.arrive();
  };
  auto mask_last = [&](int t) {
    if (t == tiles - 1 && a.keys % Keys) mask<Keys>(scores, a.keys - t * Keys);
  };

  queries_there.wait(0);
  keys_there(0).wait(0);
  warpgroup_begin();
  start_scores<T, Keys>(scores, base, keys_at(0));
  warpgroup_wait<0>();
  hold(scores);
  release(keys_free(0));
  mask_last(0);
  rows.soften(scores, scale, shrink);
  rows.round_weights(scores);

  for (int t = 1; t < tiles; ++t) {
    int stage = t % kStages, last = (t - 1) % kStages;
    keys_there(stage).wait(t / kStages % 2);
    values_there(last).wait((t - 1) / kStages % 2);
    hold(scores), hold(rows.out);
    warpgroup_begin();
    start_scores<T, Keys>(scores, base, keys_at(stage));
    start_mix(rows, values_at(last));
    warpgroup_wait<1>();  // the scores are there, the mix goes on
    hold(scores);
    release(keys_free(stage));
    mask_last(t);
    rows.soften(scores, scale, shrink);
    warpgroup_wait<0>();
    hold(rows.out);
    release(values_free(last));
    rows.rescale(shrink);
    rows.round_weights(scores);
  }
  int last = (tiles - 1) % kStages;
  values_there(last).wait((tiles - 1) / kStages % 2);
  hold(rows.out);
  warpgroup_begin();
  start_mix(rows, values_at(last));
  warpgroup_wait<0>();
  hold(rows.out);

  // The result goes out through the memory of the queries, which nobody reads any more.
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    rows.sum[half] += __shfl_xor_sync(0xffffffffu, rows.sum[half], 1);
    rows.sum[half] += __shfl_xor_sync(0xffffffffu, rows.sum[half], 2);
    rows.sum[half] = 1 / rows.sum[half];
  }
  rows.sum[0] *= narrow, rows.sum[1] *= narrow;
  rows.rescale(rows.sum);
  if (a.y_scale) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int row = warp % 4 * 16 + half * 8 + lane / 4;
#pragma unroll
      for (int eight = 0; eight < kTileHead / 8; ++eight)
        store_shared(base + swizzled<64>(row, eight / 2) + eight % 2 * 8 + lane % 4 * 2, two_float8(rows.out[4 * eight + 2 * half], rows.out[4 * eight + 2 * half + 1]));
      if (blockIdx.y == 0 && lane % 4 == 0 && first + row < a.queries) a.y_scales[int64_t(image) * a.queries + first + row] = *a.y_scale;
    }
  } else {
#pragma unroll
    for (int pair = 0; pair < kTileHead / 16; ++pair) {
      uint32_t packed[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) packed[i] = pack<T>(rows.out[8 * pair + 2 * i], rows.out[8 * pair + 2 * i + 1]);
      store_matrices(base + swizzled<128>(warp % 4 * 16 + matrices_row(lane), pair * 2 + matrices_piece(lane)), packed);
    }
  }
  fence_async();
  sync_threads(1, 128);
  if (threadIdx.x % 128 == 0) {
    store_box(a.y, base, column, first, image);
    commit_stores();
    wait_stores_read();
  }
}

template <class T, int Keys>
void launch(cudaStream_t s, const TileAttention& a) {
  cudaFuncSetAttribute(tile_attention_kernel<T, Keys>, cudaFuncAttributeMaxDynamicSharedMemorySize, Memory<Keys>::bytes);
  dim3 grid(unsigned((a.queries + kQueries - 1) / kQueries), unsigned(a.heads), unsigned(a.images));
  start(s, grid, kThreads, Memory<Keys>::bytes, tile_attention_kernel<T, Keys>, a);
}
}  // namespace

void launch_tile_attention(cudaStream_t s, const TileAttention& a, Dtype t) {
  bool bf16 = t == Dtype::bf16;
  if (a.tile == 80)
    bf16 ? launch<__nv_bfloat16, 80>(s, a) : launch<__half, 80>(s, a);
  else
    bf16 ? launch<__nv_bfloat16, 128>(s, a) : launch<__half, 128>(s, a);
}

}  // namespace hayate::cuda
