// Images and filters in eight bits with one scale each: parts of one find their largest numbers, and then are written by the largest of all.
#include "backend/cuda/kernels/device.cuh"

namespace hayate::cuda {

namespace {
constexpr int kThreads = 256, kPack = 8;

int parts_of(int64_t rows, int images, int multiprocessors) {
  return int(std::max<int64_t>(1, std::min<int64_t>(rows / images / 8, 4 * multiprocessors / images)));
}

// The rows of a block: part blockIdx.x of image blockIdx.y.
struct Part {
  int64_t begin, end;
  __device__ Part(int64_t rows) {
    const int64_t first = int64_t(blockIdx.y) * rows;
    begin = first + rows * blockIdx.x / gridDim.x, end = first + rows * (blockIdx.x + 1) / gridDim.x;
  }
  // Threads: x over packs, y over rows.
  template <class F>
  __device__ void each(int packs, F f) const {
    for (int p = threadIdx.x; p < packs; p += blockDim.x)
#pragma unroll 4
      for (int64_t r = begin + threadIdx.y; r < end; r += blockDim.y) f(r, p);
  }
};

// Over the block; NaN if there is one.
__device__ __forceinline__ float largest_of_block(float x) {
  __shared__ float scratch[kThreads / 32];
#pragma unroll
  for (int d = 16; d > 0; d /= 2) x = max_or_nan(x, __shfl_xor_sync(0xffffffffu, x, d));
  const int thread = threadIdx.y * blockDim.x + threadIdx.x;
  if (thread % 32 == 0) scratch[thread / 32] = x;
  __syncthreads();
#pragma unroll
  for (float other : scratch) x = max_or_nan(x, other);
  return x;
}

template <class T>
__global__ void __launch_bounds__(kThreads) largest_kernel(float* largest, const T* x, int64_t x_stride, int64_t rows, int packs) {
  after_previous();
  float most = 0;
  Part(rows).each(packs, [&](int64_t r, int p) {
    float v[kPack];
    load(v, x + r * x_stride + p * kPack);
#pragma unroll
    for (float a : v) most = max_or_nan(most, fabsf(a));
  });
  most = largest_of_block(most);
  if (threadIdx.x == 0 && threadIdx.y == 0) largest[blockIdx.y * gridDim.x + blockIdx.x] = most;
}

template <class Q, class T>
__global__ void __launch_bounds__(kThreads)
    quantize_image_kernel(Q* y, float* scales, float largest_number, const float* largest, const T* x, int64_t x_stride, int64_t rows, int packs) {
  after_previous();
  const int thread = threadIdx.y * blockDim.x + threadIdx.x;
  float most = 0;
  for (int i = thread; i < int(gridDim.x); i += kThreads) most = max_or_nan(most, largest[blockIdx.y * gridDim.x + i]);
  most = largest_of_block(most);
  const float factor = most == 0 ? 0 : largest_number / most;
  const Part part(rows);
  for (int64_t r = part.begin + thread; r < part.end; r += kThreads) scales[r] = most / largest_number;
  part.each(packs, [&](int64_t r, int p) {
    float v[kPack];
    load(v, x + r * x_stride + p * kPack);
#pragma unroll
    for (float& a : v) a *= factor;
    store(y + (r * packs + p) * kPack, v);
  });
}
}  // namespace

int64_t quantize_images_workspace(int64_t rows, int images, int multiprocessors) {
  return int64_t(images) * parts_of(rows, images, multiprocessors) * int64_t(sizeof(float));
}

void launch_quantize_images(cudaStream_t s, const QuantizeArgs& a, int images, float* workspace, int multiprocessors) {
  with_type(a.x.dtype, [&]<class T>(Type<T>) {
    const int packs = a.x.cols / kPack;
    int across = 1;
    while (across < packs && across < kThreads) across *= 2;
    const dim3 block(across, kThreads / across), grid(parts_of(a.x.rows, images, multiprocessors), images);
    const auto* x = static_cast<const T*>(a.x.data);
    const int64_t rows = a.x.rows / images;
    start(s, grid, block, 0, largest_kernel<T>, workspace, x, a.x.stride, rows, packs);
    auto write = [&]<class Q>(Type<Q>) {
      start(s, grid, block, 0, quantize_image_kernel<Q, T>, static_cast<Q*>(a.y), a.scales, a.largest_number, static_cast<const float*>(workspace), x, a.x.stride, rows, packs);
    };
    if (a.type == Dtype::i8) write(Type<int8_t>{});
    else write(Type<__nv_fp8_e4m3>{});
  });
}

}  // namespace hayate::cuda
