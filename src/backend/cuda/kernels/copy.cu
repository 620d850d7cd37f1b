// Ops that only move bytes.
#include "backend/cuda/kernels/device.cuh"
#include "backend/cuda/kernels/tile_layout.h"

namespace hayate::cuda {

namespace {
// Units of 16, 4 or 2 bytes, whichever divides everything.
template <class F>
void with_unit(std::initializer_list<Matrix> all, F f) {
  bool wide = true;
  for (const Matrix& m : all) wide &= divisible(m, int(16 / size_of(m.dtype)));
  int64_t size = size_of(all.begin()->dtype);
  if (wide)
    f(Type<uint4>{}, 16 / size);
  else if (size == 4)
    f(Type<uint32_t>{}, 1);
  else
    f(Type<uint16_t>{}, 1);
}

template <class U, class Row>
__global__ void copy_kernel(U* y, int64_t y_stride, const U* x, int64_t x_stride, int64_t rows, int packs, Row row_of) {
  after_previous();
  HAYATE_FOR_ROW_PACKS(r, p, rows, packs) {
    const int64_t from = row_of(r);
    y[r * y_stride + p] = from < 0 ? U{} : x[from * x_stride + p];
  }
}
template <class Row>
void launch_rows(cudaStream_t s, const Matrix& y, const Matrix& x, Row row_of) {
  with_unit({y, x}, [&]<class U>(Type<U>, int64_t n) {
    int packs = y.cols / int(n);
    RowGrid g(y.rows, packs);
    start(s, g.grid, g.block, 0, copy_kernel<U, Row>, static_cast<U*>(y.data), y.stride / n, static_cast<const U*>(x.data), x.stride / n, y.rows, packs,
          row_of);
  });
}

struct RepeatRow {
  int64_t rows;
  __device__ int64_t operator()(int64_t r) const { return r % rows; }
};
// Source of target i as torch's 'nearest' mode chooses it: floor(i * source size / target size).
struct UpsampleRow {
  int64_t h, w, from_h, from_w;
  __device__ int64_t operator()(int64_t r) const {
    int64_t column = r % w, line = r / w % h, image = r / (w * h);
    return (image * from_h + line * from_h / h) * from_w + column * from_w / w;
  }
};
// -1 where zeros are.
struct PadRow {
  int64_t h, w, from_h, from_w, size;
  bool wrap_x, wrap_y;
  __device__ int64_t operator()(int64_t r) const {
    int64_t column = r % w - size, line = r / w % h - size, image = r / (w * h);
    if (wrap_x) column = (column + from_w) % from_w;
    if (wrap_y) line = (line + from_h) % from_h;
    const bool inside = line >= 0 && line < from_h && column >= 0 && column < from_w;
    return inside ? (image * from_h + line) * from_w + column : -1;
  }
};
struct InterleaveRow {
  int64_t half;
  __device__ int64_t operator()(int64_t r) const { return interleaved_row(r, half); }
};
struct GatherRow {
  const int32_t* index;
  int64_t step;
  __device__ int64_t operator()(int64_t r) const { return index[r] + r * step; }
};

template <class U>
__global__ void concat_kernel(U* y, int64_t y_stride, const U* a, int64_t a_stride, int a_packs, const U* b, int64_t b_stride, int64_t rows,
                              int packs) {
  after_previous();
  HAYATE_FOR_ROW_PACKS(r, p, rows, packs) y[r * y_stride + p] = p < a_packs ? a[r * a_stride + p] : b[r * b_stride + p - a_packs];
}

// One block for all tables: they are small or rare, and the counter must move last.
__global__ void take_step_kernel(StepTables* tables) {
  __shared__ StepTables t;
  after_previous();
  if (threadIdx.x == 0) t = *tables;
  __syncthreads();
  for (int k = 0; k < t.count; ++k) {
    if (t.next >= t.table[k].rows) continue;
    auto* to = static_cast<uint32_t*>(t.table[k].to);
    auto* from = static_cast<const uint32_t*>(t.table[k].from) + t.next * (t.table[k].bytes / 4);
    for (int64_t i = threadIdx.x; i < t.table[k].bytes / 4; i += blockDim.x) to[i] = from[i];
  }
  if (threadIdx.x == 0) tables->next = t.next + 1;
}

// 0x3f in the upper byte makes bf16 0.5 .. 1 and fp16 1.75 .. 2; two of them make a float32 0.5 .. 1.
__global__ void random_bits_kernel(uint16_t* to, int64_t count) {
  after_previous();
  int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= count) return;
  uint32_t h = uint32_t(i) * 2654435761u;
  h = (h ^ (h >> 15)) * 2246822519u;
  h ^= h >> 13;
  to[i] = uint16_t(0x3f00 | (h & 0x80ff));
}
}  // namespace

void launch_random_bits(cudaStream_t s, void* to, int64_t bytes) {
  start(s, unsigned((bytes / 2 + 255) / 256), 256, 0, random_bits_kernel, static_cast<uint16_t*>(to), bytes / 2);
}

void launch_copy(cudaStream_t s, Matrix y, Matrix x) { launch_rows(s, y, x, RepeatRow{x.rows}); }

void launch_upsample(cudaStream_t s, Matrix y, int h, int w, Matrix x, int from_h, int from_w) {
  launch_rows(s, y, x, UpsampleRow{h, w, from_h, from_w});
}

void launch_pad(cudaStream_t s, Matrix y, int h, int w, Matrix x, int from_h, int from_w, int size, bool wrap_x, bool wrap_y) {
  launch_rows(s, y, x, PadRow{h, w, from_h, from_w, size, wrap_x, wrap_y});
}

void launch_interleave(cudaStream_t s, Matrix y, Matrix x) { launch_rows(s, y, x, InterleaveRow{x.rows / 2}); }

void launch_gather(cudaStream_t s, Matrix y, Matrix x, const int32_t* index, int64_t step) { launch_rows(s, y, x, GatherRow{index, step}); }

void launch_concat(cudaStream_t s, Matrix y, Matrix a, Matrix b) {
  with_unit({y, a, b}, [&]<class U>(Type<U>, int64_t n) {
    int packs = y.cols / int(n);
    RowGrid g(y.rows, packs);
    start(s, g.grid, g.block, 0, concat_kernel<U>, static_cast<U*>(y.data), y.stride / n, static_cast<const U*>(a.data), a.stride / n,
          a.cols / int(n), static_cast<const U*>(b.data), b.stride / n, y.rows, packs);
  });
}

void launch_take_step(cudaStream_t s, StepTables* tables) { start(s, 1, 1024, 0, take_step_kernel, tables); }

}  // namespace hayate::cuda
