// Launches of our own kernels: plain structs in, nothing else of hayate, so that .cu files compile fast.
#pragma once
#include <cuda_runtime_api.h>

#include <cstdint>

#include "core/dtype.h"

namespace hayate::cuda {

enum class Unary : uint8_t { copy, silu, gelu, quick_gelu };

// A matrix; `stride` elements from one row to the next. Absent: data == nullptr.
struct Matrix {
  void* data = nullptr;
  int64_t rows = 0, stride = 0;
  int cols = 0;
  Dtype dtype = Dtype::f32;
};

// How rows (image, line, column) of a result find their row in a smaller operand: strides in elements, 0 where it repeats.
struct Broadcast {
  int64_t image = 0, line = 0, column = 0;
  int lines = 1, columns = 1;  // of the result
  bool one_column = false;     // the operand has a single column
};

// elementwise.cu: rows and cols are the result's
void launch_unary(cudaStream_t, Matrix y, Matrix x, Unary);  // the types may differ for copy
void launch_affine(cudaStream_t, Matrix y, Matrix x, float scale, float shift);
void launch_add(cudaStream_t, Matrix y, Matrix a, Matrix b, Broadcast);
void launch_mul(cudaStream_t, Matrix y, Matrix a, Matrix b, Broadcast);
void launch_geglu(cudaStream_t, Matrix y, Matrix x);  // x has twice as many columns
// y <- act(y + bias) + residual; bias: float32, one per column, or null; residual.data may be null.
void launch_epilogue(cudaStream_t, Matrix y, const float* bias, Unary act, Matrix residual, Broadcast);

// copy.cu
void launch_concat(cudaStream_t, Matrix y, Matrix a, Matrix b);
void launch_copy(cudaStream_t, Matrix y, Matrix x);  // rows of x again and again until y is full
void launch_upsample(cudaStream_t, Matrix y, int h, int w, Matrix x, int from_h, int from_w);
void launch_pad(cudaStream_t, Matrix y, int h, int w, Matrix x, int from_h, int from_w, int size, bool wrap_x, bool wrap_y);
// Eight rows of the upper half of x, eight of the lower half, and so on (kernels/product_sm90.h).
void launch_interleave(cudaStream_t, Matrix y, Matrix x);
// Row i of y is row index[i] + i * step of x.
void launch_gather(cudaStream_t, Matrix y, Matrix x, const int32_t* index, int64_t step);
// Takes row `counter` of each table, if it has one, then counts. One launch serves all inputs of a step.
struct StepTable {
  void* to;
  const void* from;
  int64_t bytes;  // of one row
  int32_t rows;
};
constexpr int kStepTables = 8;
struct StepTables {
  StepTable table[kStepTables];
  int32_t count, next;
};
void launch_take_step(cudaStream_t, StepTables*);  // in device memory

// Random numbers in +-[0.5, 2), whatever the float type of the bytes.
void launch_random_bits(cudaStream_t, void* to, int64_t bytes);

// group_norm.cu
struct GroupStatisticsArgs {
  Matrix x;  // rows: images * pixels
  int images, pixels, groups;
  int line;               // pixels of an image in a line
  const int32_t* region;  // top, left, height, width, in device memory; null: all pixels
  float* statistics;      // (images, groups, 2): mean and variance
  float* partial;         // group_statistics_workspace() bytes
};
// Sum and sum of squares of each column of an image, in parts: (images, parts, columns). What a product may write along with its result.
struct ColumnSums {
  const float2* sums;
  int parts, columns;
};
// Of images whose channels are those of one or two such.
struct StatisticsOfColumnsArgs {
  ColumnSums of[2];
  int images, pixels, groups;
  float* statistics;  // as above
};
void launch_statistics_of_columns(cudaStream_t, const StatisticsOfColumnsArgs&);
int64_t group_statistics_workspace(int images, int pixels, int groups, int multiprocessors);
void launch_group_statistics(cudaStream_t, const GroupStatisticsArgs&, int multiprocessors);
struct GroupNormArgs {
  Matrix y, x;  // rows: images * pixels
  const float *gamma, *beta, *statistics;
  const float* y_scale;  // of a result in float8, whose rows' scales lie behind them; else null
  float* y_scales;
  float eps;
  int images, pixels, groups;
  Unary act;
};
void launch_group_norm(cudaStream_t, const GroupNormArgs&, int multiprocessors);
// group_norm_small.cu: finds the statistics too
bool small_group_norm_fits(Dtype x, int pixels, int channels, int groups);
bool small_group_norm_takes(const GroupNormArgs&);
void launch_small_group_norm(cudaStream_t, const GroupNormArgs&);

// row_norms.cu
void launch_layer_norm(cudaStream_t, Matrix y, Matrix x, const float* gamma, const float* beta, float eps);
// Sum and sum of squares of each row, in parts: (rows, moment_parts(columns)). Who reads them adds the parts up; here all but the first are 0.
constexpr int moment_parts(int64_t columns) { return int((columns + 127) / 128); }
constexpr int64_t moments_bytes(int64_t rows, int64_t columns) { return rows * moment_parts(columns) * int64_t(sizeof(float2)); }
void launch_row_moments(cudaStream_t, float2* parts, Matrix x);
void launch_row_sums(cudaStream_t, float* sums, Matrix x);  // of each row
void launch_softmax(cudaStream_t, Matrix y, Matrix x);  // x may be float32 where y is not
// Sets column j of row i to minus infinity where j > i % tokens.
void launch_causal_mask(cudaStream_t, Matrix scores, int tokens);

// quantize.cu: rows in eight bits (program/quantized.h)
struct QuantizeArgs {
  void* y;        // packed rows
  float* scales;  // one for each row
  Matrix x;
  Dtype type;
  float largest_number;  // of the type
  float eps;             // > 0: each row is normalised first
};
constexpr int kMostQuantizedColumns = 8 * 24 * 128;
bool quantize_takes(const Matrix& x);
void launch_quantize(cudaStream_t, const QuantizeArgs&);
// quantize_images.cu: the same with one scale for each `images`th of the rows, not normalised
int64_t quantize_images_workspace(int64_t rows, int images, int multiprocessors);
void launch_quantize_images(cudaStream_t, const QuantizeArgs&, int images, float* workspace, int multiprocessors);

// bound.cu: the scale that BoundAttr describes
struct BoundArgs {
  float* y;
  Matrix x;
  const float *x_scales, *b;  // of its rows, or null; one for each row, or (not rows) b_count of them, or null
  int b_count;
  int64_t begin, count;  // rows
  bool rows, gated, interleaved;
  float norm, largest_number;
};
void launch_bound(cudaStream_t, const BoundArgs&);

// sampling.cu: float32 only
void launch_timestep_embedding(cudaStream_t, Matrix y, Matrix t, int dim, bool cosines_first, float freq_shift);
// prediction: unconditional images, then conditional ones, of `each` packed elements; out: images * each
void launch_guidance(cudaStream_t, float* out, const float* prediction, const float* scale, int64_t scale_stride, const float* rescale,
                     int64_t rescale_stride, int images, int64_t each);
// clean: for each image the factors of x and of a prediction in the clean latent
void launch_mimic(cudaStream_t, Matrix y, Matrix prediction, Matrix other, Matrix x, Matrix clean, int images, int64_t tokens);
void launch_scheduler_row(cudaStream_t, Matrix y, Matrix state, Matrix prediction, Matrix noise, Matrix matrix, int64_t tokens);

// product.cu: y = act(alpha x w^T + bias) + residual for any type, stride and alignment; the fallback of cuBLASLt and cuDNN.
struct ProductArgs {
  const void *x, *w;
  void* y;
  Dtype dtype, y_dtype;
  int64_t m;
  int n, k;
  int64_t x_stride, y_stride;  // elements from row to row
  int64_t w_row, w_col;        // elements from output to output, from input to input
  int batch;                   // independent products, so many elements apart:
  int64_t x_batch, w_batch, y_batch;
  float alpha;
};
void launch_product(cudaStream_t, const ProductArgs&);

// product_narrow.cu: y = (x w^T) times the scales of rows and columns, + bias + residual; 8-bit factors with packed rows of a multiple of 16
struct NarrowProductArgs {
  const void *x, *w;
  void* y;
  const float *x_scales, *w_scales, *bias;  // bias: or null
  const void* residual;                     // of the result's type, or null; each of its rows for residual_repeat rows of y
  int64_t residual_stride, residual_repeat;
  int64_t m, y_stride;
  int n, k;
  Dtype factor, result;
};
void launch_narrow_product(cudaStream_t, const NarrowProductArgs&);

struct ConvolutionArgs {
  const void *x, *w;
  void* y;
  Dtype dtype;
  int images, h, w_in, c, out_h, out_w, out_c, kernel_h, kernel_w, stride, pad;
  int64_t x_stride, y_stride;
};
void launch_convolution(cudaStream_t, const ConvolutionArgs&);
// convolution_few.cu: up to four output channels
bool convolution_few_takes(const ConvolutionArgs&);
void launch_convolution_few(cudaStream_t, const ConvolutionArgs&, int multiprocessors);

// attention.cu and attention_sm90.cu: 16-bit types, head sizes divisible by 8
struct AttentionArgs {
  const void *q, *k, *v;
  void* y;
  Dtype dtype;
  int images, heads, head, queries, keys;
  int64_t q_stride, k_stride, v_stride, y_stride;  // rows, elements; a head is `head` columns
  float scale;
  bool causal;
};
constexpr int kLargestFlashHead = 160;
void launch_attention(cudaStream_t, const AttentionArgs&);

}  // namespace hayate::cuda
