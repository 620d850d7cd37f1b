// Time embedding, guidance, scheduler row: float32 whatever the rung.
#include "backend/cuda/kernels/device.cuh"

namespace hayate::cuda {

namespace {
__global__ void timestep_embedding_kernel(float* y, int64_t y_stride, const float* t, int64_t t_stride, int cols, int dim, bool cosines_first,
                                          float freq_shift) {
  after_previous();
  int64_t r = blockIdx.x;
  int half = dim / 2;
  for (int i = threadIdx.x; i < cols * half; i += blockDim.x) {
    int column = i / half, d = i % half;
    // The exponent is float32, as in diffusers; the double exponential rounds to what the host's float32 one gives.
    float exponent = -logf(10000.f) * float(d) / (float(half) - freq_shift);
    float angle = t[r * t_stride + column] * float(exp(double(exponent)));
    float* out = y + r * y_stride + column * dim;
    out[cosines_first ? half + d : d] = sinf(angle);
    out[cosines_first ? d : half + d] = cosf(angle);
  }
}

__global__ void guidance_kernel(float* out, const float* prediction, const float* scale, int64_t scale_stride, int images, int64_t each) {
  after_previous();
  int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= images * each) return;
  float uncond = prediction[i], cond = prediction[images * each + i];
  out[i] = uncond + scale[i / each * scale_stride] * (cond - uncond);
}

// Unbiased deviation of a block's numbers, in double.
__device__ double deviation(const float* x, int64_t count, double* scratch) {
  auto sum_of = [&](auto f) {
    double sum = 0;
    for (int64_t i = threadIdx.x; i < count; i += blockDim.x) sum += f(double(x[i]));
    __syncthreads();
    scratch[threadIdx.x] = sum;
    __syncthreads();
    for (int n = blockDim.x / 2; n > 0; n /= 2) {
      if (threadIdx.x < n) scratch[threadIdx.x] += scratch[threadIdx.x + n];
      __syncthreads();
    }
    return scratch[0];
  };
  double mean = sum_of([](double v) { return v; }) / double(count);
  return sqrt(sum_of([mean](double v) { return (v - mean) * (v - mean); }) / double(count - 1));
}

// A block for each image; nothing to do where it is not rescaled.
__global__ void rescale_kernel(float* out, const float* prediction, const float* rescale, int64_t stride, int images, int64_t each) {
  __shared__ double scratch[512];
  after_previous();
  int image = blockIdx.x;
  float part = rescale[image * stride];
  if (part == 0) return;
  double of_cond = deviation(prediction + (images + image) * each, each, scratch);
  double of_out = deviation(out + image * each, each, scratch);
  float factor = float(part * (of_cond / of_out) + (1 - part));
  __syncthreads();
  for (int64_t i = threadIdx.x; i < each; i += blockDim.x) out[image * each + i] *= factor;
}

// A block for each channel of each image. Where the other clean latent has the smaller contrast, this one gets it.
__global__ void mimic_kernel(float* y, int64_t y_stride, const float* prediction, int64_t prediction_stride, const float* other, int64_t other_stride, const float* x,
                             int64_t x_stride, const float* clean, int64_t clean_stride, int64_t tokens) {
  __shared__ double scratch[512];
  after_previous();
  const int c = blockIdx.y;
  const int64_t first = int64_t(blockIdx.x) * tokens;
  const double of_x = clean[blockIdx.x * clean_stride], of_prediction = clean[blockIdx.x * clean_stride + 1];
  auto clean_of = [&](const float* v, int64_t stride, int64_t i) { return of_x * x[(first + i) * x_stride + c] + of_prediction * v[(first + i) * stride + c]; };
  auto reduced = [&](auto f, auto joined) {
    double value = 0;
    for (int64_t i = threadIdx.x; i < tokens; i += blockDim.x) value = joined(value, f(i));
    __syncthreads();
    scratch[threadIdx.x] = value;
    __syncthreads();
    for (int n = blockDim.x / 2; n > 0; n /= 2) {
      if (threadIdx.x < n) scratch[threadIdx.x] = joined(scratch[threadIdx.x], scratch[threadIdx.x + n]);
      __syncthreads();
    }
    return scratch[0];
  };
  auto mean_of = [&](const float* v, int64_t stride) {
    return reduced([&](int64_t i) { return clean_of(v, stride, i); }, [](double a, double b) { return a + b; }) / double(tokens);
  };
  auto spread_of = [&](const float* v, int64_t stride, double mean) {
    return reduced([&](int64_t i) { return fabs(clean_of(v, stride, i) - mean); }, [](double a, double b) { return fmax(a, b); });
  };
  double mean = 0, change = 0;
  if (of_prediction != 0) {
    mean = mean_of(prediction, prediction_stride);
    const double own = spread_of(prediction, prediction_stride, mean), wanted = spread_of(other, other_stride, mean_of(other, other_stride));
    if (own > wanted) change = (wanted / own - 1) / of_prediction;
  }
  for (int64_t i = threadIdx.x; i < tokens; i += blockDim.x)
    y[(first + i) * y_stride + c] =
        prediction[(first + i) * prediction_stride + c] + (change == 0 ? 0.f : float((clean_of(prediction, prediction_stride, i) - mean) * change));
}

// Per image: (x, saved..) <- matrix (x, prediction, saved.., noise), element by element.
__global__ void scheduler_row_kernel(float* y, int64_t y_stride, const float* state, int64_t state_stride, const float* prediction,
                                     int64_t prediction_stride, const float* noise, int64_t noise_stride, const float* matrix, int64_t matrix_stride,
                                     int64_t rows, int64_t tokens, int width, int parts) {
  after_previous();
  int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x, r = i / width;
  int c = int(i % width);
  if (r >= rows) return;
  const float* m = matrix + r / tokens * matrix_stride;
  for (int part = 0; part < parts; ++part, m += parts + 2) {
    double sum = double(m[0]) * state[r * state_stride + c] + double(m[1]) * prediction[r * prediction_stride + c];
    for (int k = 1; k < parts; ++k) sum += double(m[1 + k]) * state[r * state_stride + k * width + c];
    if (m[parts + 1] != 0) sum += double(m[parts + 1]) * noise[r * noise_stride + c];
    y[r * y_stride + part * width + c] = float(sum);
  }
}

const float* floats(const Matrix& m) { return static_cast<const float*>(m.data); }
unsigned blocks_of(int64_t threads) { return unsigned((threads + 255) / 256); }
}  // namespace

void launch_timestep_embedding(cudaStream_t s, Matrix y, Matrix t, int dim, bool cosines_first, float freq_shift) {
  start(s, unsigned(t.rows), 256, 0, timestep_embedding_kernel, static_cast<float*>(y.data), y.stride, floats(t), t.stride, t.cols, dim, cosines_first,
        freq_shift);
}

void launch_guidance(cudaStream_t s, float* out, const float* prediction, const float* scale, int64_t scale_stride, const float* rescale,
                     int64_t rescale_stride, int images, int64_t each) {
  start(s, blocks_of(images * each), 256, 0, guidance_kernel, out, prediction, scale, scale_stride, images, each);
  start(s, images, 512, 0, rescale_kernel, out, prediction, rescale, rescale_stride, images, each);
}

void launch_mimic(cudaStream_t s, Matrix y, Matrix prediction, Matrix other, Matrix x, Matrix clean, int images, int64_t tokens) {
  start(s, dim3(unsigned(images), unsigned(y.cols)), 512, 0, mimic_kernel, static_cast<float*>(y.data), y.stride, floats(prediction), prediction.stride, floats(other),
        other.stride, floats(x), x.stride, floats(clean), clean.stride, tokens);
}

void launch_scheduler_row(cudaStream_t s, Matrix y, Matrix state, Matrix prediction, Matrix noise, Matrix matrix, int64_t tokens) {
  int width = prediction.cols, parts = y.cols / width;
  start(s, blocks_of(y.rows * width), 256, 0, scheduler_row_kernel, static_cast<float*>(y.data), y.stride, floats(state), state.stride,
        floats(prediction), prediction.stride, floats(noise), noise.stride, floats(matrix), matrix.stride, y.rows, tokens, width, parts);
}

}  // namespace hayate::cuda
