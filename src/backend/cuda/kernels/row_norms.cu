// Layer norm, softmax and moments of rows. Sums in float32, in an order that depends on nothing but the shape.
#include "backend/cuda/kernels/device.cuh"

namespace hayate::cuda {

namespace {
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

// A warp for each row. `Keep` says what of the two sums is kept, and where.
template <int N, class T, class Keep>
__global__ void row_moments_kernel(Keep keep, const T* x, int64_t stride, int64_t rows, int packs) {
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
  keep(r, warp_sum(sum), warp_sum(square));
}
struct KeepMoments {
  float2* to;
  int parts;
  __device__ void operator()(int64_t row, float sum, float square) const {
    for (int part = threadIdx.x; part < parts; part += 32) to[row * parts + part] = part == 0 ? make_float2(sum, square) : float2{};
  }
};
struct KeepSum {
  float* to;
  __device__ void operator()(int64_t row, float sum, float) const {
    if (threadIdx.x == 0) to[row] = sum;
  }
};

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

template <class Keep>
void launch_row_moments(cudaStream_t s, const Keep& keep, const Matrix& x) {
  with_type(x.dtype, [&]<class T>(Type<T>) {
    auto run = [&]<int N>(std::integral_constant<int, N>) {
      start(s, unsigned((x.rows + 3) / 4), dim3(32, 4), 0, row_moments_kernel<N, T, Keep>, keep, static_cast<const T*>(x.data), x.stride, x.rows,
            x.cols / N);
    };
    constexpr int N = 16 / sizeof(T);
    if (divisible(x, N)) run(std::integral_constant<int, N>{});
    else run(std::integral_constant<int, 1>{});
  });
}
}  // namespace

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

void launch_row_moments(cudaStream_t s, float2* parts, Matrix x) { launch_row_moments(s, KeepMoments{parts, moment_parts(x.cols)}, x); }
void launch_row_sums(cudaStream_t s, float* sums, Matrix x) { launch_row_moments(s, KeepSum{sums}, x); }

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
