// What binding an op on the GPU needs besides its operands, and the functions that bind.
#pragma once
#include <cublasLt.h>
#include <cudnn_graph.h>

#include <functional>
#include <limits>
#include <memory>

#include "backend/cuda/algorithm_table.h"
#include "backend/cuda/device.h"
#include "backend/cuda/kernels/kernels.h"
#include "backend/operands.h"

namespace hayate::cuda {

constexpr int kMeasuredRuns = 2;  // of each algorithm, beside a first one

struct Context {
  explicit Context(const CudaOptions&);
  ~Context();
  Context(const Context&) = delete;

  cudaStream_t stream() const { return device->stream(); }
  // Seconds of one run on the GPU: the least of a few, after one that does not count. Of something that takes far longer than `rival`, what
  // the first run took.
  double seconds(const std::function<void()>& enqueue, int runs, double rival = std::numeric_limits<double>::infinity()) const;

  std::shared_ptr<Device> device;
  std::string machine;  // GPU, driver and library versions
  int capability;       // which kernels run: the GPU's own, or less where it was forced
  bool deterministic;
  cublasLtHandle_t blas = nullptr;
  cudnnHandle_t dnn = nullptr;
  std::unique_ptr<AlgorithmTable> algorithms;

 private:
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
};

// A bound op: what it puts on the stream, and how many bytes of memory, shared by all ops, it needs while it runs; no more than
// kMostWorkspace.
constexpr int64_t kMostWorkspace = int64_t{320} << 20;
struct Launch {
  std::function<void(void* workspace)> enqueue;
  int64_t workspace = 0;
};
Launch in_order(std::vector<Launch>);

// Settings of one compilation, and what else a product may read or has to write: moments of rows (launch_row_moments) of its x, of its y; sums of
// columns of its y, or a group norm's of what its x is made of.
struct BindOptions {
  bool tf32 = false;
  const float2* x_moments = nullptr;
  float2* y_moments = nullptr;
  float2* y_columns = nullptr;
  ColumnSums x_columns[2] = {};
};

Launch bind(const Operands&, const Context&, BindOptions);
Launch bind_linear(const Operands&, const Context&, BindOptions);
Launch bind_conv2d(const Operands&, const Context&, BindOptions);
Launch bind_attention(const Operands&, const Context&, BindOptions);
Launch bind_attention_scores(const Operands&, const Context&, BindOptions);
Launch bind_attention_mix(const Operands&, const Context&, BindOptions);

// y <- act(y + bias) + residual, of what the product itself could not take along. Absent views add nothing.
Launch bind_epilogue(const Context&, const TensorView& y, const TensorView& bias, Activation, const TensorView& residual);

Matrix matrix_of(const TensorView&);  // rows n*h*w
Broadcast broadcast_of(const TensorView& operand, const Shape& result);
Unary unary_of(Activation);
// The largest power of two up to 256 that divides the address.
int alignment_of(const void*);
// Whether every row can be read 16 bytes at a time.
bool has_vectors(const TensorView&);

}  // namespace hayate::cuda
