// Group norm. Statistics in float32, in an order that depends on nothing but the shape.
#include "backend/cuda/kernels/device.cuh"

namespace hayate::cuda {

namespace {
constexpr int kThreads = 512;

// How many parts of an image's pixels get a block each, enough to fill the GPU. Not a function of the batch: a picture's sums do not
// depend on its company.
int chunks_of(int pixels, int multiprocessors) { return max(1, min(pixels / 16, 4 * multiprocessors)); }

// The pixels of an image that statistics are of: all, or those of a region {top, left, height, width} in device memory.
template <bool Region>
struct Pixels {
  int all, line;  // line: pixels of the image in a line
  const int32_t* region;

  struct Read {
    int count, first, width, line;
    __device__ int operator[](int i) const {
      if constexpr (Region) return first + i / width * line + i % width;
      else return i;
    }
  };
  __device__ Read read() const {
    if constexpr (Region) return {region[2] * region[3], region[0] * line + region[1], region[3], line};
    else return {all, 0, all, all};
  }
};

struct Chunk {
  int begin, end;
  __device__ Chunk(int pixels) : begin(int(int64_t(pixels) * blockIdx.x / gridDim.x)), end(int(int64_t(pixels) * (blockIdx.x + 1) / gridDim.x)) {}
};

// Pass 1: sums of x - k and (x - k)^2 of each group over the block's pixels. k is the group's first value: without it the
// difference of two large sums would lose the variance of data far from zero. Threads: x over packs of channels, y over pixels.
template <int N, bool Region, class T>
__global__ void __launch_bounds__(kThreads)
    group_sums_kernel(const T* x, int64_t stride, Pixels<Region> pixels, int channels, int groups, float2* partial) {
  extern __shared__ float2 shared[];
  float2* by_channel = shared;            // (channels)
  float2* by_thread = shared + channels;  // (threads y, threads x * N)
  after_previous();
  int image = blockIdx.y, width = channels / groups, packs = channels / N, columns = blockDim.x * N;
  const T* first = x + int64_t(image) * pixels.all * stride;
  typename Pixels<Region>::Read pixel = pixels.read();
  Chunk chunk(pixel.count);
  for (int base = 0; base < packs; base += blockDim.x) {
    int p = base + threadIdx.x;
    float2 sums[N] = {};
    if (p < packs) {
      float k[N];
#pragma unroll
      for (int i = 0; i < N; ++i) k[i] = to_float(first[(p * N + i) / width * width]);
#pragma unroll 4
      for (int at = chunk.begin + threadIdx.y; at < chunk.end; at += blockDim.y) {
        float v[N];
        load(v, first + pixel[at] * stride + p * N);
#pragma unroll
        for (int i = 0; i < N; ++i) {
          float d = v[i] - k[i];
          sums[i].x += d;
          sums[i].y += d * d;
        }
      }
    }
#pragma unroll
    for (int i = 0; i < N; ++i) by_thread[threadIdx.y * columns + threadIdx.x * N + i] = sums[i];
    __syncthreads();
    for (int c = threadIdx.y * blockDim.x + threadIdx.x; c < columns && base * N + c < channels; c += blockDim.x * blockDim.y) {
      float2 total = {};
      for (int y = 0; y < blockDim.y; ++y) {
        total.x += by_thread[y * columns + c].x;
        total.y += by_thread[y * columns + c].y;
      }
      by_channel[base * N + c] = total;
    }
    __syncthreads();
  }
  for (int g = threadIdx.y * blockDim.x + threadIdx.x; g < groups; g += blockDim.x * blockDim.y) {
    float2 total = {};
    for (int c = g * width; c < (g + 1) * width; ++c) {
      total.x += by_channel[c].x;
      total.y += by_channel[c].y;
    }
    partial[(int64_t(image) * gridDim.x + blockIdx.x) * groups + g] = total;
  }
}

// Pass 2: a warp for each group of each image adds up the partial sums to mean and variance.
template <bool Region, class T>
__global__ void group_statistics_kernel(float2* statistics, const float2* partial, int parts, const T* x, int64_t x_stride, Pixels<Region> pixels,
                                        int width, int groups) {
  after_previous();
  int group = blockIdx.x * blockDim.y + threadIdx.y;
  if (group >= groups) return;
  const float2* from = partial + int64_t(blockIdx.y) * parts * groups + group;
  double sum = 0, square = 0;
  for (int i = threadIdx.x; i < parts; i += 32) {
    float2 s = from[int64_t(i) * groups];
    sum += s.x;
    square += s.y;
  }
#pragma unroll
  for (int d = 16; d > 0; d /= 2) {
    sum += __shfl_xor_sync(0xffffffffu, sum, d);
    square += __shfl_xor_sync(0xffffffffu, square, d);
  }
  if (threadIdx.x > 0) return;
  double count = double(pixels.read().count) * width, shifted = sum / count;
  double first = to_float(x[int64_t(blockIdx.y) * pixels.all * x_stride + group * width]);
  statistics[int64_t(blockIdx.y) * groups + group] = make_float2(float(first + shifted), float(fmax(square / count - shifted * shifted, 0.0)));
}

// The same from sums that came with x: a block for each group of each image, a thread for one of its columns in some of the parts.
__global__ void __launch_bounds__(1024) statistics_of_columns_kernel(StatisticsOfColumnsArgs a, int width) {
  __shared__ double shared[2][32];
  after_previous();
  const int group = blockIdx.x, image = blockIdx.y, channel = group * width + int(threadIdx.x) % width, at_once = int(blockDim.x) / width;
  const bool second = channel >= a.of[0].columns;
  const ColumnSums from = second ? a.of[1] : a.of[0];
  const float2* sums = from.sums + int64_t(image) * from.parts * from.columns + channel - (second ? a.of[0].columns : 0);
  double sum = 0, square = 0;
  if (int(threadIdx.x) < at_once * width) {
#pragma unroll 4
    for (int part = int(threadIdx.x) / width; part < from.parts; part += at_once) {
      const float2 s = sums[int64_t(part) * from.columns];
      sum += s.x;
      square += s.y;
    }
  }
  auto of_warp = [&] {
#pragma unroll
    for (int d = 16; d > 0; d /= 2) {
      sum += __shfl_xor_sync(0xffffffffu, sum, d);
      square += __shfl_xor_sync(0xffffffffu, square, d);
    }
  };
  of_warp();
  if (threadIdx.x % 32 == 0) shared[0][threadIdx.x / 32] = sum, shared[1][threadIdx.x / 32] = square;
  __syncthreads();
  if (threadIdx.x >= 32) return;
  const bool there = threadIdx.x < blockDim.x / 32;
  sum = there ? shared[0][threadIdx.x] : 0, square = there ? shared[1][threadIdx.x] : 0;
  of_warp();
  if (threadIdx.x > 0) return;
  const double count = double(a.pixels) * width, mean = sum / count;
  reinterpret_cast<float2*>(a.statistics)[image * a.groups + group] = make_float2(float(mean), float(fmax(square / count - mean * mean, 0.0)));
}

// Pass 3: every block normalises its pixels.
template <int N, Unary A, class Y, class T>
__global__ void __launch_bounds__(kThreads)
    group_normalise_kernel(Y* y, int64_t y_stride, const T* x, int64_t x_stride, const float* gamma, const float* beta, float eps, int pixels,
                           int channels, int groups, const float2* statistics, const float* y_scale, float* y_scales) {
  after_previous();
  int image = blockIdx.y, width = channels / groups, packs = channels / N;
  const T* from = x + int64_t(image) * pixels * x_stride;
  Y* to = y + int64_t(image) * pixels * y_stride;
  Chunk chunk(pixels);
  float narrow = 1;  // by what a result in eight bits is stored
  if constexpr (sizeof(Y) == 1) {
    narrow = 1 / *y_scale;
    for (int at = chunk.begin + int(threadIdx.y * blockDim.x + threadIdx.x); at < chunk.end; at += int(blockDim.x * blockDim.y))
      y_scales[int64_t(image) * pixels + at] = *y_scale;
  }
  for (int p = threadIdx.x; p < packs; p += blockDim.x) {
    float mean[N], scale[N], shift[N];
    load(scale, gamma + p * N);
    load(shift, beta + p * N);
    int group = p * N / width, left = (group + 1) * width - p * N;
#pragma unroll
    for (int i = 0; i < N; ++i, --left) {
      if (left == 0) ++group, left = width;
      float2 s = statistics[int64_t(image) * groups + group];
      mean[i] = s.x;
      scale[i] *= 1 / sqrtf(s.y + eps);
    }
#pragma unroll 4
    for (int at = chunk.begin + threadIdx.y; at < chunk.end; at += blockDim.y) {
      float v[N];
      load(v, from + at * x_stride + p * N);
#pragma unroll
      for (int i = 0; i < N; ++i) v[i] = activate_for<A, T>((v[i] - mean[i]) * scale[i] + shift[i]) * narrow;
      store(to + at * y_stride + p * N, v);
    }
  }
}

dim3 pixel_block(int packs) {
  int x = packs < kThreads ? packs : kThreads;
  return dim3(x, kThreads / x);
}
}  // namespace

void launch_statistics_of_columns(cudaStream_t s, const StatisticsOfColumnsArgs& a) {
  const int width = (a.of[0].columns + a.of[1].columns) / a.groups, most = max(a.of[0].parts, a.of[1].parts) * width;
  start(s, dim3(a.groups, a.images), unsigned(max((width + 31) / 32 * 32, min((most + 31) / 32 * 32, 1024))), 0, statistics_of_columns_kernel, a, width);
}

int64_t group_statistics_workspace(int images, int pixels, int groups, int multiprocessors) {
  return int64_t(images) * chunks_of(pixels, multiprocessors) * groups * int64_t(sizeof(float2));
}

void launch_group_statistics(cudaStream_t s, const GroupStatisticsArgs& a, int multiprocessors) {
  with_type(a.x.dtype, [&]<class T>(Type<T>) {
    auto run = [&]<int N, bool Region>(std::integral_constant<int, N>, std::bool_constant<Region>) {
      int channels = a.x.cols;
      dim3 block = pixel_block(channels / N), grid(chunks_of(a.pixels, multiprocessors), a.images);
      size_t sums = (size_t(channels) + size_t(block.x) * block.y * N) * sizeof(float2);
      auto* partial = reinterpret_cast<float2*>(a.partial);
      auto* from = static_cast<const T*>(a.x.data);
      Pixels<Region> pixels{a.pixels, a.line, a.region};
      if (sums > 48 << 10) cudaFuncSetAttribute(group_sums_kernel<N, Region, T>, cudaFuncAttributeMaxDynamicSharedMemorySize, int(sums));
      start(s, grid, block, sums, group_sums_kernel<N, Region, T>, from, a.x.stride, pixels, channels, a.groups, partial);
      constexpr int kWarps = 4;
      start(s, dim3((a.groups + kWarps - 1) / kWarps, a.images), dim3(32, kWarps), 0, group_statistics_kernel<Region, T>,
            reinterpret_cast<float2*>(a.statistics), partial, int(grid.x), from, a.x.stride, pixels, channels / a.groups, a.groups);
    };
    constexpr int N = 16 / sizeof(T);
    auto run_on = [&](auto region) {
      if (divisible(a.x, N)) run(std::integral_constant<int, N>{}, region);
      else run(std::integral_constant<int, 1>{}, region);
    };
    if (a.region) run_on(std::true_type{});
    else run_on(std::false_type{});
  });
}

void launch_group_norm(cudaStream_t s, const GroupNormArgs& a, int multiprocessors) {
  with_type(a.x.dtype, [&]<class T>(Type<T>) {
    with_unary(a.act, [&]<Unary A>(UnaryTag<A>) {
      auto run = [&]<int N, class Y>(std::integral_constant<int, N>, Type<Y>) {
        int channels = a.x.cols;
        // One wave of blocks: nothing depends on who normalises what.
        dim3 block = pixel_block(channels / N), grid(max(1, min(a.pixels / 8, 4 * multiprocessors / a.images)), a.images);
        start(s, grid, block, 0, group_normalise_kernel<N, A, Y, T>, static_cast<Y*>(a.y.data), a.y.stride, static_cast<const T*>(a.x.data), a.x.stride,
              a.gamma, a.beta, a.eps, a.pixels, channels, a.groups, reinterpret_cast<const float2*>(a.statistics), a.y_scale, a.y_scales);
      };
      constexpr std::integral_constant<int, 16 / sizeof(T)> packs;
      if (a.y_scale) {
        if constexpr (sizeof(T) == 2) run(packs, Type<__nv_fp8_e4m3>{});
      } else if (divisible(a.x, packs) && divisible(a.y, packs)) {
        run(packs, Type<T>{});
      } else {
        run(std::integral_constant<int, 1>{}, Type<T>{});
      }
    });
  });
}

}  // namespace hayate::cuda
