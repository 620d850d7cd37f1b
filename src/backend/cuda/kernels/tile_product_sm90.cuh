// Linear and convolution on Hopper. One warp feeds shared memory through the copy engine, two warpgroups multiply; blocks stay and take
// tile after tile, so that the next tile's loads overlap with the end of the last one. A convolution is a sum of products over shifted boxes.
#pragma once
#include "backend/cuda/kernels/tile_ends_sm90.cuh"
#include "backend/cuda/kernels/wgmma_sm90.cuh"

namespace hayate::cuda {

namespace {
constexpr int kThreads = 384;         // a warpgroup that loads, two that multiply
constexpr int kSharedBytes = 232448;  // what a block may have

template <int Rows, int Columns, bool Geglu, class T>
struct Layout {
  static constexpr int store_columns = kStoreBytes / sizeof(T);
  static constexpr int boxes = Rows / kBoxPixels, own_boxes = boxes / 2;  // of a tile, of a warpgroup
  static constexpr int x_bytes = Rows * 128, w_bytes = Columns * 128, stage_bytes = x_bytes + w_bytes;
  static constexpr int out_columns = Geglu ? Columns / 2 : Columns, panels = out_columns / store_columns;
  static constexpr int panel_bytes = kBoxPixels * kStoreBytes;
  static constexpr int own_out_bytes = own_boxes * panels * panel_bytes, out_bytes = 2 * own_out_bytes;
  static constexpr int own_vector_bytes = 2 * Columns * 4, barrier_bytes = 256;  // bias and factors of the weight's rows
  static constexpr int rest_bytes = out_bytes + 2 * own_vector_bytes + barrier_bytes;
  static constexpr int most_stages = (kSharedBytes - rest_bytes) / stage_bytes;
  static constexpr int stages = most_stages < 6 ? most_stages : 6;
  static constexpr int bytes = stages * stage_bytes + rest_bytes;
  static constexpr int empty_arrivals = 8;  // a lane of each multiplying warp
};

struct Tile {
  int m, n, phase;
};

// Which tiles a block takes: along the pixels first, so that blocks at work share few rows of the weight.
template <int Boxes, int Columns, bool Geglu>
struct Schedule {
  int along_m, along_n, total, next, stride;
  __device__ Schedule(const TileProduct& p, int split) {
    int boxes = p.boxes_w * p.boxes_h * p.images, rows = Geglu ? 2 * p.columns : p.columns;
    along_m = (boxes + Boxes - 1) / Boxes;
    along_n = (rows + Columns - 1) / Columns;
    total = along_m * along_n * p.phases;
    next = blockIdx.x / split;
    stride = gridDim.x / split;
  }
  __device__ Tile first() const { return at(next); }
  __device__ Tile at(int i) const { return {i % along_m, i / along_m % along_n, i / along_m / along_n}; }
  __device__ bool take(Tile& t) {
    if (next >= total) return false;
    t = at(next);
    next += stride;
    return true;
  }
};

// A step along the inner dimension: a chunk of channels of one tap. Taps of the same channels follow each other, which reads pixels while they are near.
struct Step {
  int chunk, tap, tap_x, tap_y;
  __device__ Step(const TileProduct& p, int i) : chunk(i / p.taps), tap(i % p.taps), tap_x(tap % p.taps_w), tap_y(tap / p.taps_w) {}
  __device__ void advance(const TileProduct& p) {
    if (++tap_x == p.taps_w) tap_x = 0, ++tap_y;
    if (++tap == p.taps) tap = tap_x = tap_y = 0, ++chunk;
  }
};

__device__ __forceinline__ BoxPlace box_at(const TileProduct& p, int box) { return box_place(box, p.boxes_w, p.boxes_h, p.box_w, p.box_h); }

// Sums: writes sums of the result's columns along (TileProduct::y_columns). A kernel apart: the mere possibility costs the others 2 %.
template <class T, class F, int Rows, int Columns, bool Geglu, int MostSplit, bool Sums>
__global__ void __launch_bounds__(kThreads, 1) tile_product_kernel(const __grid_constant__ TileProduct p) {
  using L = Layout<Rows, Columns, Geglu, T>;
  using Scale = std::conditional_t<sizeof(F) == 1, RowScale, RowNorm>;
  constexpr bool Split = MostSplit > 1;
  constexpr int kChannels = kChunkBytes / sizeof(F);
  extern __shared__ __align__(1024) uint8_t memory[];
  uint32_t base = shared_address(memory), out = base + L::stages * L::stage_bytes, vectors = out + L::out_bytes;
  uint32_t barriers = vectors + 2 * L::own_vector_bytes;
  auto x_at = [&](int stage) { return base + stage * L::stage_bytes; };
  auto w_at = [&](int stage) { return base + stage * L::stage_bytes + L::x_bytes; };
  auto full = [&](int stage) { return Barrier{barriers + stage * 8}; };
  auto empty = [&](int stage) { return Barrier{barriers + (L::stages + stage) * 8}; };
  Barrier residual_there{barriers + 2 * L::stages * 8}, out_free{barriers + (2 * L::stages + 1) * 8};
  int warp = threadIdx.x / 32, lane = threadIdx.x % 32, group = warp / 4;

  if (base % 1024) __trap();  // the copy engine's pattern repeats so
  if (threadIdx.x == 0) {
    for (int s = 0; s < L::stages; ++s) full(s).init(1), empty(s).init(L::empty_arrivals);
    residual_there.init(1), out_free.init(2);
    fence_barrier_init();
  }
  __syncthreads();

  const int parts = Split ? p.split : 1, part = Split ? int(blockIdx.x) % parts : 0, all_steps = p.chunks * p.taps;
  const int first_step = all_steps * part / parts, steps = all_steps * (part + 1) / parts - first_step;
  Schedule<L::boxes, Columns, Geglu> schedule(p, parts);
  Tile tile;
  int stage = 0, phase = 0, tile_phase = 0;
  auto advance_stage = [&] {
    if (++stage == L::stages) stage = 0, phase ^= 1;
  };

  if (group == 0) {
    give_registers<40>();
    if (threadIdx.x == 0) {
      prefetch(p.x), prefetch(p.w), prefetch(p.y[0]);
      auto expect_weight = [&](int s, const Step& at, const Tile& t) {
        full(s).arrive_and_expect(L::stage_bytes);
        load_box(w_at(s), p.w, full(s), at.chunk * kChannels, at.tap, t.phase * p.columns + t.n * Columns);
      };
      // The first tile's weight does not wait for the kernel before this one.
      int early = 0;
      for (Step at(p, first_step); early < min(L::stages, steps); at.advance(p)) expect_weight(early++, at, schedule.first());
      after_previous();
      for (; schedule.take(tile); tile_phase ^= 1) {
        BoxPlace boxes[L::boxes];
#pragma unroll
        for (int b = 0; b < L::boxes; ++b) boxes[b] = box_at(p, tile.m * L::boxes + b);
        int left = p.pad - tile.phase % 2, above = p.pad - tile.phase / 2;
        Step at(p, first_step);
        for (int k = 0; k < steps; ++k, at.advance(p)) {
          if (early-- <= 0) {
            empty(stage).wait(phase ^ 1);
            expect_weight(stage, at, tile);
          }
#pragma unroll
          for (int b = 0; b < L::boxes; ++b)
            load_box(x_at(stage) + b * kBoxPixels * 128, p.x, full(stage), at.chunk * kChannels, boxes[b].x * p.stride + at.tap_x - left,
                     boxes[b].y * p.stride + at.tap_y - above, boxes[b].image);
          advance_stage();
        }
        if (p.has_residual && part == 0) {  // into the memory of the result, once the last tile's has left it
          out_free.wait(tile_phase);
          residual_there.arrive_and_expect(L::out_bytes);
#pragma unroll
          for (int b = 0; b < L::boxes; ++b)
            for (int panel = 0; panel < L::panels; ++panel)
              load_box(out + (b * L::panels + panel) * L::panel_bytes, p.residual, residual_there, (tile.n * L::panels + panel) * L::store_columns,
                       boxes[b].x, boxes[b].y, boxes[b].image);
        }
      }
    }
  } else {
    take_registers<232>();
    after_previous();
    int worker = group - 1, leader = threadIdx.x % 128 == 0;
    uint32_t own_out = out + worker * L::own_out_bytes, own_vectors = vectors + worker * L::own_vector_bytes;
    SumOf<F> sum[L::own_boxes][Columns / 2];
    [[maybe_unused]] const float narrow = sizeof(T) == 1 ? 1 / *p.y_scale : 1;  // by what a result in eight bits is stored
    auto release = [&](int s) {
      if (lane == 0) empty(s).arrive();
    };
    // The columns of a tile are summed where its result lies, while the products of the next have begun.
    [[maybe_unused]] BoxColumns unsummed[L::own_boxes];
    [[maybe_unused]] int unsummed_first = 0;
    auto sum_columns = [&] {
      if constexpr (Sums) {
#pragma unroll
        for (int b = 0; b < L::own_boxes; ++b)
          write_column_sums<L::panels, T>(p, unsummed[b], own_out + b * L::panels * L::panel_bytes, unsummed_first);
        if (p.has_residual) sync_threads(1 + worker, 128);  // the next residual takes its place
      }
    };
    for (; schedule.take(tile); tile_phase ^= 1) {
      Scale scale[L::own_boxes];
      auto own_box = [&](int b) { return box_at(p, tile.m * L::boxes + worker * L::own_boxes + b); };
      int row = warp % 4 * 16 + lane / 4;  // of a box
#pragma unroll
      for (int b = 0; b < L::own_boxes; ++b) scale[b].start(p, own_box(b), row, lane);
      fetch_vectors<Columns, Geglu>(p, own_vectors, tile.n);
      int last = 0;
      for (int k = 0; k < steps; ++k) {
        full(stage).wait(phase);
#pragma unroll
        for (int b = 0; b < L::own_boxes; ++b) hold(sum[b]);
        warpgroup_begin();
        uint64_t x = factor(x_at(stage) + worker * L::own_boxes * kBoxPixels * 128), w = factor(w_at(stage));
#pragma unroll
        for (int i = 0; i < kChunkBytes / 32; ++i)
#pragma unroll
          for (int b = 0; b < L::own_boxes; ++b)
            warpgroup_multiply<Columns, F>(sum[b], advance(x, i * 32 + b * kBoxPixels * 128), advance(w, i * 32), k > 0 || i > 0);
        warpgroup_commit();
#pragma unroll
        for (int b = 0; b < L::own_boxes; ++b) hold(sum[b]);
        if (k > 0) {
          warpgroup_wait<1>();
          release(last);
        } else {
          sum_columns();
          if (p.has_residual && leader) {
            wait_stores_read();
            out_free.arrive();
          }
        }
        last = stage;
        advance_stage();
      }
      warpgroup_wait<0>();
#pragma unroll
      for (int b = 0; b < L::own_boxes; ++b) hold(sum[b]);
      release(last);
      if constexpr (Split) {  // one tile a block, so its stages are free now
        static_assert(L::own_boxes == 1 && (MostSplit - 1) * Rows * Columns * 4 <= L::stages * L::stage_bytes);
        sync_cluster();
        add_parts(sum[0], base, part, parts);
        if (part > 0) return;
      }

#pragma unroll
      for (int b = 0; b < L::own_boxes; ++b) scale[b].finish(p, own_box(b), row, lane);
      wait_copies<0>();
      if (p.has_residual) residual_there.wait(tile_phase);
      else if (leader) wait_stores_read();
      sync_threads(1 + worker, 128);
      int first = tile.n * L::out_columns;  // column of y
#pragma unroll
      for (int b = 0; b < L::own_boxes; ++b) {
        BoxPlace box = own_box(b);
        const T* image_row =
            p.image_residual ? static_cast<const T*>(p.image_residual) + min(box.image, p.images - 1) * p.image_residual_stride : nullptr;
        float2 moments[2] = {};
        auto scaled = [&](int i, SumOf<F> sum, float2 of_weight) { return scale[b](i / 2, sum, i % 2 ? of_weight.y : of_weight.x); };
#pragma unroll
        for (int pair = 0; pair < L::out_columns / 16; ++pair) {
          uint32_t at = own_out + (b * L::panels + pair / 2) * L::panel_bytes +
                        swizzled<64>(warp % 4 * 16 + matrices_row(lane), pair % 2 * 2 + matrices_piece(lane));
          [[maybe_unused]] uint32_t packed[4];
          if (sizeof(T) == 2 && p.has_residual) load_matrices_at(packed, at);
#pragma unroll
          for (int eight = 0; eight < 2; ++eight) {
            int column = first + pair * 16 + eight * 8 + lane % 4 * 2;
            [[maybe_unused]] bool inside = column < p.columns;
            float v[4];
            if constexpr (Geglu) {
              const SumOf<F> *value = &sum[b][(pair * 4 + eight * 2) * 4], *gate = value + 4;
              uint32_t of_value = own_vectors + ((pair * 4 + eight * 2) * 8 + lane % 4 * 2) * 4, of_gate = of_value + 8 * 4;
              float2 bv = load_shared<float2>(of_value), bg = load_shared<float2>(of_gate);
              float2 sv = load_shared<float2>(of_value + Columns * 4), sg = load_shared<float2>(of_gate + Columns * 4);
#pragma unroll
              for (int i = 0; i < 4; ++i)
                v[i] = (scaled(i, value[i], sv) + (i % 2 ? bv.y : bv.x)) * activate_for<Unary::gelu, T>(scaled(i, gate[i], sg) + (i % 2 ? bg.y : bg.x));
            } else {
              uint32_t of_column = own_vectors + ((pair * 2 + eight) * 8 + lane % 4 * 2) * 4;
              float2 bias = load_shared<float2>(of_column), of_weight = load_shared<float2>(of_column + Columns * 4);
              if (image_row && inside) bias.x += to_float(image_row[column]), bias.y += to_float(image_row[column + 1]);
#pragma unroll
              for (int i = 0; i < 4; ++i) v[i] = scaled(i, sum[b][(pair * 2 + eight) * 4 + i], of_weight) + (i % 2 ? bias.y : bias.x);
            }
            if constexpr (sizeof(T) == 1) {
#pragma unroll
              for (int half = 0; half < 2; ++half)
                store_shared(own_out + (b * L::panels + pair / 4) * L::panel_bytes + swizzled<64>(row + half * 8, pair % 4) + eight * 8 + lane % 4 * 2,
                             two_float8(v[2 * half] * narrow, v[2 * half + 1] * narrow));
            } else {
#pragma unroll
              for (int half = 0; half < 2; ++half) {
                uint32_t& r = packed[eight * 2 + half];
                if (p.has_residual) {
                  auto old = *reinterpret_cast<Pack<T, 2>*>(&r);
                  v[2 * half] += to_float(old.v[0]), v[2 * half + 1] += to_float(old.v[1]);
                }
                r = pack<T>(v[2 * half], v[2 * half + 1]);
                if (p.y_moments && inside) {
                  moments[half].x += v[2 * half] + v[2 * half + 1];
                  moments[half].y += v[2 * half] * v[2 * half] + v[2 * half + 1] * v[2 * half + 1];
                }
              }
            }
          }
          if constexpr (sizeof(T) == 2) store_matrices(at, packed);
        }
        if constexpr (sizeof(T) == 1) write_scale(p, box, row, lane % 4 == 0 && tile.n == 0);
        if (p.y_moments) write_moments(p, box, row, lane % 4 == 0, moments, tile.n, (p.columns + Columns - 1) / Columns);
      }
      fence_async();
      sync_threads(1 + worker, 128);
      if (leader) {
        for (int b = 0; b < L::own_boxes; ++b) {
          BoxPlace box = own_box(b);
          for (int panel = 0; panel < L::panels; ++panel)
            store_box(p.y[tile.phase], own_out + (b * L::panels + panel) * L::panel_bytes, first + panel * L::store_columns, box.x, box.y, box.image);
        }
        commit_stores();
      }
      if constexpr (Sums) {
#pragma unroll
        for (int b = 0; b < L::own_boxes; ++b) unsummed[b] = BoxColumns(p, own_box(b), tile.phase);
        unsummed_first = first;
      }
    }
    sum_columns();
    if (leader) wait_stores_read();
  }
}

template <class T, class F, int Variant>
void launch(cudaStream_t s, const TileProduct& p, int multiprocessors) {
  constexpr TileVariant v = kTileVariants[Variant];
  using L = Layout<v.rows, v.columns, v.geglu, T>;
  constexpr bool may_sum = !v.geglu;
  auto kernel = tile_product_kernel<T, F, v.rows, v.columns, v.geglu, v.most_split, false>;
  if constexpr (may_sum)
    if (p.y_columns) kernel = tile_product_kernel<T, F, v.rows, v.columns, v.geglu, v.most_split, true>;
  cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, L::bytes);
  int tiles = tiles_of(p, v);
  if (v.most_split > 1)
    start_clusters(s, unsigned(p.split), unsigned(tiles * p.split), kThreads, L::bytes, kernel, p);
  else
    start(s, unsigned(min(tiles, multiprocessors)), kThreads, L::bytes, kernel, p);
}

template <class T, class F, int Variant = 0>
void launch_variant(cudaStream_t s, const TileProduct& p, int variant, int multiprocessors) {
  if constexpr (Variant < kTileVariantCount) {
    constexpr bool there = sizeof(T) == 2 || kTileVariants[Variant].geglu;
    if (there && variant == Variant) {
      if constexpr (there) launch<T, F, Variant>(s, p, multiprocessors);
    } else
      launch_variant<T, F, Variant + 1>(s, p, variant, multiprocessors);
  }
}
// Of 8-bit factors, to a 16-bit result.
template <class F>
void launch_narrow(cudaStream_t s, const TileProduct& p, Dtype result, int variant, int multiprocessors) {
  if (result == Dtype::bf16)
    launch_variant<__nv_bfloat16, F>(s, p, variant, multiprocessors);
  else
    launch_variant<__half, F>(s, p, variant, multiprocessors);
}
}  // namespace
}  // namespace hayate::cuda
