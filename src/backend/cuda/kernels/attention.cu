// Attention that never stores its scores, for any GPU since sm_80 (Dao 2023, FlashAttention-2). A block of four warps takes 64
// queries of one head, 16 a warp, and passes over the keys 64 at a time.
#include "backend/cuda/kernels/ptx.cuh"

namespace hayate::cuda {

namespace {
constexpr int kQueries = 64, kKeys = 64, kThreads = 128;
constexpr float kLog2e = 1.4426950408889634f;

// D: columns of a head rounded up to a multiple of 16; the rest of a row in shared memory is zero.
template <int D>
struct Tiles {
  static constexpr int pitch = D + 8;  // elements: rows start in different banks
  static constexpr int stages = D <= 80 ? 2 : 1;
  static constexpr int elements = kQueries * pitch;
  static constexpr int bytes = (1 + 2 * stages) * elements * 2;
};

// Rows [first, first + 64) of a matrix of `rows` rows into a tile.
template <int D, class T>
__device__ __forceinline__ void load_tile(T* tile, const T* from, int64_t stride, int first, int rows, int columns) {
  constexpr int packs = D / 8;
  for (int i = threadIdx.x; i < 64 * packs; i += kThreads) {
    int r = i / packs, c = i % packs * 8;
    bool valid = first + r < rows && c < columns;
    copy_async(tile + r * Tiles<D>::pitch + c, valid ? from + (first + r) * stride + c : from, valid);
  }
}

template <int D, class T>
__global__ void __launch_bounds__(kThreads) attention_kernel(AttentionArgs a) {
  using Tile = Tiles<D>;
  extern __shared__ __align__(16) uint8_t memory[];
  T* qs = reinterpret_cast<T*>(memory);
  auto ks = [&](int stage) { return qs + (1 + 2 * stage) * Tile::elements; };
  auto vs = [&](int stage) { return qs + (2 + 2 * stage) * Tile::elements; };

  int head = blockIdx.y, image = blockIdx.z, first = blockIdx.x * kQueries, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  auto of_head = [&](const void* p, int64_t stride, int tokens) {
    return static_cast<const T*>(p) + int64_t(image) * tokens * stride + head * a.head;
  };
  const T *q = of_head(a.q, a.q_stride, a.queries), *k = of_head(a.k, a.k_stride, a.keys), *v = of_head(a.v, a.v_stride, a.keys);
  int tiles = ((a.causal ? min(a.keys, first + kQueries) : a.keys) + kKeys - 1) / kKeys;
  auto fetch = [&](int tile) {
    load_tile<D>(ks(tile % Tile::stages), k, a.k_stride, tile * kKeys, a.keys, a.head);
    load_tile<D>(vs(tile % Tile::stages), v, a.v_stride, tile * kKeys, a.keys, a.head);
  };

  after_previous();
  load_tile<D>(qs, q, a.q_stride, first, a.queries, a.head);
  fetch(0);
  commit_copies();
  wait_copies<0>();
  __syncthreads();

  uint32_t queries[D / 16][4];
#pragma unroll
  for (int c = 0; c < D / 16; ++c) load_matrices(queries[c], qs + (warp * 16 + lane % 16) * Tile::pitch + c * 16 + lane / 16 * 8);

  float out[D / 8][4] = {}, largest[2] = {-INFINITY, -INFINITY}, sum[2] = {};
  float scale = a.scale * kLog2e;
  for (int tile = 0; tile < tiles; ++tile) {
    if (tile > 0) {
      if constexpr (Tile::stages == 1) {
        __syncthreads();
        fetch(tile);
        commit_copies();
      }
      wait_copies<0>();
      __syncthreads();
    }
    // With two stages the next tile arrives while this one is computed; everyone has left the tile that it replaces.
    if (Tile::stages == 2 && tile + 1 < tiles) {
      fetch(tile + 1);
      commit_copies();
    }

    float s[kKeys / 8][4] = {};
#pragma unroll
    for (int c = 0; c < D / 16; ++c)
#pragma unroll
      for (int n = 0; n < kKeys / 16; ++n) {
        uint32_t b[4];
        load_matrices(b, ks(tile % Tile::stages) + (n * 16 + lane / 16 * 8 + lane % 8) * Tile::pitch + c * 16 + lane / 8 % 2 * 8);
        multiply<T>(s[2 * n], queries[c], b[0], b[1]);
        multiply<T>(s[2 * n + 1], queries[c], b[2], b[3]);
      }

    int row = first + warp * 16 + lane / 4, column = tile * kKeys + lane % 4 * 2;
    if (tile * kKeys + kKeys > a.keys || (a.causal && tile * kKeys + kKeys > first + 1)) {
#pragma unroll
      for (int n = 0; n < kKeys / 8; ++n)
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          int key = column + n * 8 + i % 2;
          if (key >= a.keys || (a.causal && key > row + i / 2 * 8)) s[n][i] = -INFINITY;
        }
    }

#pragma unroll
    for (int half = 0; half < 2; ++half) {  // rows lane / 4 and lane / 4 + 8
      float most = largest[half];
#pragma unroll
      for (int n = 0; n < kKeys / 8; ++n) most = fmaxf(most, fmaxf(s[n][2 * half], s[n][2 * half + 1]));
      most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 1));
      most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 2));
      float shrink = fast_exp2((largest[half] - most) * scale);
      largest[half] = most;
      sum[half] *= shrink;
#pragma unroll
      for (int n = 0; n < D / 8; ++n) out[n][2 * half] *= shrink, out[n][2 * half + 1] *= shrink;
#pragma unroll
      for (int n = 0; n < kKeys / 8; ++n)
#pragma unroll
        for (int i = 2 * half; i < 2 * half + 2; ++i) {
          s[n][i] = fast_exp2((s[n][i] - most) * scale);
          sum[half] += s[n][i];
        }
    }

#pragma unroll
    for (int j = 0; j < kKeys / 16; ++j) {
      uint32_t weights[4] = {pack<T>(s[2 * j][0], s[2 * j][1]), pack<T>(s[2 * j][2], s[2 * j][3]), pack<T>(s[2 * j + 1][0], s[2 * j + 1][1]),
                             pack<T>(s[2 * j + 1][2], s[2 * j + 1][3])};
#pragma unroll
      for (int n = 0; n < D / 16; ++n) {
        uint32_t b[4];
        load_matrices_transposed(b, vs(tile % Tile::stages) + (j * 16 + lane % 16) * Tile::pitch + n * 16 + lane / 16 * 8);
        multiply<T>(out[2 * n], weights, b[0], b[1]);
        multiply<T>(out[2 * n + 1], weights, b[2], b[3]);
      }
    }
  }

  T* y = static_cast<T*>(a.y) + int64_t(image) * a.queries * a.y_stride + head * a.head;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    sum[half] += __shfl_xor_sync(0xffffffffu, sum[half], 1);
    sum[half] += __shfl_xor_sync(0xffffffffu, sum[half], 2);
    float inverse = 1 / sum[half];
    int row = first + warp * 16 + lane / 4 + half * 8;
    if (row >= a.queries) continue;
#pragma unroll
    for (int n = 0; n < D / 8; ++n)
      if (int c = n * 8 + lane % 4 * 2; c < a.head)
        *reinterpret_cast<uint32_t*>(y + row * a.y_stride + c) = pack<T>(out[n][2 * half] * inverse, out[n][2 * half + 1] * inverse);
  }
}

template <int D, class T>
void launch(cudaStream_t s, const AttentionArgs& a) {
  constexpr int bytes = Tiles<D>::bytes;
  if constexpr (bytes > 48 << 10) cudaFuncSetAttribute(attention_kernel<D, T>, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
  dim3 grid(unsigned((a.queries + kQueries - 1) / kQueries), unsigned(a.heads), unsigned(a.images));
  start(s, grid, kThreads, bytes, attention_kernel<D, T>, a);
}
template <class T>
void launch_typed(cudaStream_t s, const AttentionArgs& a) {
  if (a.head <= 32)
    launch<32, T>(s, a);
  else if (a.head <= 48)
    launch<48, T>(s, a);
  else if (a.head <= 64)
    launch<64, T>(s, a);
  else if (a.head <= 80)
    launch<80, T>(s, a);
  else if (a.head <= 128)
    launch<128, T>(s, a);
  else
    launch<kLargestFlashHead, T>(s, a);
}
}  // namespace

void launch_attention(cudaStream_t s, const AttentionArgs& a) {
  if (a.dtype == Dtype::bf16)
    launch_typed<__nv_bfloat16>(s, a);
  else
    launch_typed<__half>(s, a);
}

}  // namespace hayate::cuda
