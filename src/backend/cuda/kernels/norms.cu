// Group norm, layer norm, softmax. Statistics in float32, in an order that depends on nothing but the shape.
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

// Pass 3: every block normalises its pixels.
template <int N, Unary A, class T>
__global__ void __launch_bounds__(kThreads)
    group_normalise_kernel(T* y, int64_t y_stride, const T* x, int64_t x_stride, const float* gamma, const float* beta, float eps, int pixels,
                           int channels, int groups, const float2* statistics) {
  after_previous();
  int image = blockIdx.y, width = channels / groups, packs = channels / N;
  const T* from = x + int64_t(image) * pixels * x_stride;
  T* to = y + int64_t(image) * pixels * y_stride;
  Chunk chunk(pixels);
  for (int p = threadIdx.x; p < packs; p += blockDim.x) {
    float mean[N], scale[N], shift[N];
    load(scale, gamma + p * N);
    load(shift, beta + p * N);
#pragma unroll
    for (int i = 0; i < N; ++i) {
      float2 s = statistics[int64_t(image) * groups + (p * N + i) / width];
      mean[i] = s.x;
      scale[i] *= 1 / sqrtf(s.y + eps);
    }
#pragma unroll 4
    for (int at = chunk.begin + threadIdx.y; at < chunk.end; at += blockDim.y) {
      float v[N];
      load(v, from + at * x_stride + p * N);
#pragma unroll
      for (int i = 0; i < N; ++i) v[i] = activate_for<A, T>((v[i] - mean[i]) * scale[i] + shift[i]);
      store(to + at * y_stride + p * N, v);
    }
  }
}

// A warp for each row, which stays in registers: P packs of N columns a lane.
template <int N, int P, class T>
__global__ void layer_norm_kernel(T* y, int64_t y_stride, const T* x, int64_t x_stride, const float* gamma, const float* beta, float eps,
                                  int64_t rows, int packs) {
  int64_t r = int64_t(blockIdx.x) * blockDim.y + threadIdx.y;
  float v[P][N], scale[P][N], shift[P][N], sum = 0, square = 0, count = float(packs) * N;
#pragma unroll
  for (int k = 0; k < P; ++k)
    if (int p = k * 32 + threadIdx.x; p < packs) load(scale[k], gamma + p * N), load(shift[k], beta + p * N);
  after_previous();
  if (r >= rows) return;
#pragma unroll
  for (int k = 0; k < P; ++k)
    if (int p = k * 32 + threadIdx.x; p < packs) {
      load(v[k], x + r * x_stride + p * N);
#pragma unroll
      for (int i = 0; i < N; ++i) sum += v[k][i];
    }
  float mean = warp_sum(sum) / count;
#pragma unroll
  for (int k = 0; k < P; ++k)
    if (k * 32 + threadIdx.x < packs) {
#pragma unroll
      for (int i = 0; i < N; ++i) square += (v[k][i] - mean) * (v[k][i] - mean);
    }
  float inverse = rsqrtf(warp_sum(square) / count + eps);
#pragma unroll
  for (int k = 0; k < P; ++k)
    if (int p = k * 32 + threadIdx.x; p < packs) {
#pragma unroll
      for (int i = 0; i < N; ++i) v[k][i] = (v[k][i] - mean) * inverse * scale[k][i] + shift[k][i];
      store(y + r * y_stride + p * N, v[k]);
    }
}

// Any width and alignment: a warp reads its row three times.
template <class T>
__global__ void layer_norm_any_kernel(T* y, int64_t y_stride, const T* x, int64_t x_stride, const float* gamma, const float* beta, float eps,
                                      int64_t rows, int cols) {
  after_previous();
  int64_t r = int64_t(blockIdx.x) * blockDim.y + threadIdx.y;
  if (r >= rows) return;
  const T* from = x + r * x_stride;
  float sum = 0, square = 0;
  for (int c = threadIdx.x; c < cols; c += 32) sum += to_float(from[c]);
  float mean = warp_sum(sum) / float(cols);
  for (int c = threadIdx.x; c < cols; c += 32) square += (to_float(from[c]) - mean) * (to_float(from[c]) - mean);
  float inverse = rsqrtf(warp_sum(square) / float(cols) + eps);
  for (int c = threadIdx.x; c < cols; c += 32) y[r * y_stride + c] = from_float<T>((to_float(from[c]) - mean) * inverse * gamma[c] + beta[c]);
}

// A warp for each row.
template <int N, class T>
__global__ void row_moments_kernel(float2* moments, int parts, const T* x, int64_t stride, int64_t rows, int packs) {
  after_previous();
  int64_t r = int64_t(blockIdx.x) * blockDim.y + threadIdx.y;
  if (r >= rows) return;
  float sum = 0, square = 0;
  for (int p = threadIdx.x; p < packs; p += 32) {
    float v[N];
    load(v, x + r * stride + p * N);
#pragma unroll
    for (int i = 0; i < N; ++i) sum += v[i], square += v[i] * v[i];
  }
  sum = warp_sum(sum), square = warp_sum(square);
  for (int part = threadIdx.x; part < parts; part += 32) moments[r * parts + part] = part == 0 ? make_float2(sum, square) : float2{};
}
template <int N, class T>
__global__ void row_sums_kernel(float* sums, const T* x, int64_t stride, int64_t rows, int packs) {
  after_previous();
  int64_t r = int64_t(blockIdx.x) * blockDim.y + threadIdx.y;
  if (r >= rows) return;
  float sum = 0;
  for (int p = threadIdx.x; p < packs; p += 32) {
    float v[N];
    load(v, x + r * stride + p * N);
#pragma unroll
    for (int i = 0; i < N; ++i) sum += v[i];
  }
  sum = warp_sum(sum);
  if (threadIdx.x == 0) sums[r] = sum;
}

// A block for each row, which stays in registers: P packs of four columns a thread.
constexpr int kSoftmaxThreads = 256;
template <int P, class T, class Tin>
__global__ void __launch_bounds__(kSoftmaxThreads) softmax_kernel(T* y, int64_t y_stride, const Tin* x, int64_t x_stride, int packs) {
  __shared__ float scratch[32];
  after_previous();
  const Tin* from = x + int64_t(blockIdx.x) * x_stride;
  T* to = y + int64_t(blockIdx.x) * y_stride;
  float v[P][4], largest = -INFINITY, sum = 0;
#pragma unroll
  for (int k = 0; k < P; ++k)
    if (int p = k * kSoftmaxThreads + threadIdx.x; p < packs) load(v[k], from + p * 4);
#pragma unroll
  for (int k = 0; k < P; ++k)
    if (k * kSoftmaxThreads + threadIdx.x < packs) largest = fmaxf(largest, fmaxf(fmaxf(v[k][0], v[k][1]), fmaxf(v[k][2], v[k][3])));
  largest = block_max(largest, scratch);
#pragma unroll
  for (int k = 0; k < P; ++k)
    if (k * kSoftmaxThreads + threadIdx.x < packs)
#pragma unroll
      for (int i = 0; i < 4; ++i) sum += v[k][i] = __expf(v[k][i] - largest);
  float inverse = 1 / block_sum(sum, scratch);
#pragma unroll
  for (int k = 0; k < P; ++k)
    if (int p = k * kSoftmaxThreads + threadIdx.x; p < packs) {
#pragma unroll
      for (int i = 0; i < 4; ++i) v[k][i] *= inverse;
      store(to + p * 4, v[k]);
    }
}

// Any width and alignment: the row is read three times.
template <class T, class Tin>
__global__ void softmax_any_kernel(T* y, int64_t y_stride, const Tin* x, int64_t x_stride, int cols) {
  __shared__ float scratch[32];
  after_previous();
  const Tin* from = x + int64_t(blockIdx.x) * x_stride;
  float largest = -INFINITY, sum = 0;
  for (int c = threadIdx.x; c < cols; c += blockDim.x) largest = fmaxf(largest, to_float(from[c]));
  largest = block_max(largest, scratch);
  for (int c = threadIdx.x; c < cols; c += blockDim.x) sum += __expf(to_float(from[c]) - largest);
  float inverse = 1 / block_sum(sum, scratch);
  T* to = y + int64_t(blockIdx.x) * y_stride;
  for (int c = threadIdx.x; c < cols; c += blockDim.x) to[c] = from_float<T>(__expf(to_float(from[c]) - largest) * inverse);
}

template <class T>
__global__ void causal_mask_kernel(T* scores, int64_t stride, int tokens, int cols) {
  after_previous();
  int64_t r = blockIdx.x;
  for (int c = int(r % tokens) + 1 + threadIdx.x; c < cols; c += blockDim.x) scores[r * stride + c] = from_float<T>(-INFINITY);
}
}  // namespace

int64_t group_statistics_workspace(int images, int pixels, int groups, int multiprocessors) {
  return int64_t(images) * chunks_of(pixels, multiprocessors) * groups * int64_t(sizeof(float2));
}

namespace {
dim3 pixel_block(int packs) {
  int x = packs < kThreads ? packs : kThreads;
  return dim3(x, kThreads / x);
}
}  // namespace

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
  with_type(a.y.dtype, [&]<class T>(Type<T>) {
    with_unary(a.act, [&]<Unary A>(UnaryTag<A>) {
      auto run = [&]<int N>(std::integral_constant<int, N>) {
        int channels = a.x.cols;
        dim3 block = pixel_block(channels / N), grid(chunks_of(a.pixels, multiprocessors), a.images);
        start(s, grid, block, 0, group_normalise_kernel<N, A, T>, static_cast<T*>(a.y.data), a.y.stride, static_cast<const T*>(a.x.data), a.x.stride,
              a.gamma, a.beta, a.eps, a.pixels, channels, a.groups, reinterpret_cast<const float2*>(a.statistics));
      };
      constexpr int N = 16 / sizeof(T);
      if (divisible(a.x, N) && divisible(a.y, N))
        run(std::integral_constant<int, N>{});
      else
        run(std::integral_constant<int, 1>{});
    });
  });
}

void launch_layer_norm(cudaStream_t s, Matrix y, Matrix x, const float* gamma, const float* beta, float eps) {
  with_type(y.dtype, [&]<class T>(Type<T>) {
    dim3 block(32, 4), grid(unsigned((y.rows + 3) / 4));
    auto* to = static_cast<T*>(y.data);
    auto* from = static_cast<const T*>(x.data);
    constexpr int N = 16 / sizeof(T);
    auto run = [&]<int P>(std::integral_constant<int, P>) {
      start(s, grid, block, 0, layer_norm_kernel<N, P, T>, to, y.stride, from, x.stride, gamma, beta, eps, y.rows, y.cols / N);
    };
    int each = (y.cols / N + 31) / 32;
    if (!divisible(x, N) || !divisible(y, N) || each > 10)
      start(s, grid, block, 0, layer_norm_any_kernel<T>, to, y.stride, from, x.stride, gamma, beta, eps, y.rows, y.cols);
    else if (each <= 1)
      run(std::integral_constant<int, 1>{});
    else if (each <= 3)
      run(std::integral_constant<int, 3>{});
    else if (each <= 5)
      run(std::integral_constant<int, 5>{});
    else
      run(std::integral_constant<int, 10>{});
  });
}

namespace {
// run(N, T) with as many columns at a time as all rows allow.
template <class F>
void with_packs(const Matrix& x, F run) {
  with_type(x.dtype, [&]<class T>(Type<T> type) {
    constexpr int N = 16 / sizeof(T);
    if (divisible(x, N)) run(std::integral_constant<int, N>{}, type);
    else run(std::integral_constant<int, 1>{}, type);
  });
}
}  // namespace

void launch_row_moments(cudaStream_t s, float2* parts, Matrix x) {
  with_packs(x, [&]<int N, class T>(std::integral_constant<int, N>, Type<T>) {
    start(s, unsigned((x.rows + 3) / 4), dim3(32, 4), 0, row_moments_kernel<N, T>, parts, row_sum_parts(x.cols), static_cast<const T*>(x.data), x.stride,
          x.rows, x.cols / N);
  });
}

void launch_row_sums(cudaStream_t s, float* sums, Matrix x) {
  with_packs(x, [&]<int N, class T>(std::integral_constant<int, N>, Type<T>) {
    start(s, unsigned((x.rows + 3) / 4), dim3(32, 4), 0, row_sums_kernel<N, T>, sums, static_cast<const T*>(x.data), x.stride, x.rows, x.cols / N);
  });
}

void launch_softmax(cudaStream_t s, Matrix y, Matrix x) {
  with_type(y.dtype, [&]<class T>(Type<T>) {
    auto run = [&](auto* from) {
      using Tin = std::remove_cvref_t<decltype(*from)>;
      auto* to = static_cast<T*>(y.data);
      auto in_registers = [&]<int P>(std::integral_constant<int, P>) {
        start(s, unsigned(y.rows), kSoftmaxThreads, 0, softmax_kernel<P, T, Tin>, to, y.stride, from, x.stride, y.cols / 4);
      };
      int packs = (y.cols / 4 + kSoftmaxThreads - 1) / kSoftmaxThreads;
      if (y.cols <= 256 || !divisible(x, 4) || !divisible(y, 4) || packs > 16)
        start(s, unsigned(y.rows), y.cols <= 256 ? 32 : 256, 0, softmax_any_kernel<T, Tin>, to, y.stride, from, x.stride, y.cols);
      else if (packs <= 1)
        in_registers(std::integral_constant<int, 1>{});
      else if (packs <= 4)
        in_registers(std::integral_constant<int, 4>{});
      else
        in_registers(std::integral_constant<int, 16>{});
    };
    if (x.dtype == y.dtype)
      run(static_cast<const T*>(x.data));
    else
      run(static_cast<const float*>(x.data));
  });
}

void launch_causal_mask(cudaStream_t s, Matrix scores, int tokens) {
  with_type(scores.dtype, [&]<class T>(Type<T>) {
    start(s, unsigned(scores.rows), 128, 0, causal_mask_kernel<T>, static_cast<T*>(scores.data), scores.stride, tokens, scores.cols);
  });
}

}  // namespace hayate::cuda
