// Handles of the libraries, and small conversions from operands to what kernels take.
#include "backend/cuda/context.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "backend/cuda/libraries.h"
#include "backend/cuda/status.h"
#include "core/error.h"

namespace hayate::cuda {

Context::Context(const CudaOptions& o)
    : device(std::make_shared<Device>(o.ordinal)), capability(device->info().capability), deterministic(o.deterministic) {
  require(o.force_capability == 0 || (o.force_capability >= 80 && o.force_capability <= capability), ErrorKind::usage,
          "cannot run kernels of compute capability {} on {}, which has {}", o.force_capability, device->info().name, capability);
  if (o.force_capability) capability = o.force_capability;
  check(cublas_lt().Create(&blas), "starting cuBLASLt");
  check(cudnn().Create(&dnn), "starting cuDNN");
  check(cudnn().SetStream(dnn, stream()), "starting cuDNN");
  check(cudaEventCreate(&begin_), "creating an event");
  check(cudaEventCreate(&end_), "creating an event");
  const DeviceInfo& info = device->info();
  machine = fmt::format("{}, driver {}, cuBLASLt {}, cuDNN {}", info.name, info.driver, cublas_lt().GetVersion(), cudnn().GetVersion());
  if (o.force_capability) machine += fmt::format(", as sm_{}", o.force_capability);  // what is fastest there is another matter
  algorithms = std::make_unique<AlgorithmTable>(o.algorithm_file, machine, !o.deterministic);
}

Context::~Context() {
  device->use();
  if (dnn) cudnn().Destroy(dnn);
  if (blas) cublas_lt().Destroy(blas);
  if (begin_) cudaEventDestroy(begin_);
  if (end_) cudaEventDestroy(end_);
}

double Context::seconds(const std::function<void()>& enqueue, int runs, double rival) const {
  constexpr double kFar = 2, kStarting = 1e-3, kClearly = 1.5;  // a first run also loads its kernels
  // Short runs are timed several in a row, about so long: the events themselves take a few microseconds.
  constexpr double kLong = 200e-6, kAlone = 6e-6;
  constexpr int kMostInRow = 8;
  auto timed = [&](int times) {
    check(cudaEventRecord(begin_, stream()), "measuring");
    for (int i = 0; i < times; ++i) enqueue();
    check(cudaGetLastError(), "starting a kernel");
    check(cudaEventRecord(end_, stream()), "measuring");
    check(cudaEventSynchronize(end_), "measuring");
    float ms = 0;
    check(cudaEventElapsedTime(&ms, begin_, end_), "measuring");
    return double(ms) * 1e-3 / times;
  };
  double first = timed(1);
  if (first > kFar * rival + kStarting) return first;
  double least = timed(1);
  if (least > kClearly * rival + kAlone) return least;
  const int row = std::clamp(int(kLong / std::max(least, 1e-6)), 1, kMostInRow);
  for (int run = row > 1 ? 0 : 1; run < runs; ++run) {
    double t = timed(row);
    least = run == 0 ? t : std::min(least, t);
  }
  return least;
}

Launch in_order(std::vector<Launch> all) {
  Launch whole;
  for (const Launch& l : all) whole.workspace = std::max(whole.workspace, l.workspace);
  whole.enqueue = [all = std::move(all)](void* workspace) {
    for (const Launch& l : all) l.enqueue(workspace);
  };
  return whole;
}

Matrix matrix_of(const TensorView& v) { return {v.data, v.shape.rows(), v.row_stride, int(v.shape.c), v.dtype}; }

Broadcast broadcast_of(const TensorView& b, const Shape& y) {
  const Shape& s = b.shape;
  return {.image = s.n == 1 ? 0 : s.tokens() * b.row_stride,
          .line = s.h == 1 ? 0 : s.w * b.row_stride,
          .column = s.w == 1 ? 0 : b.row_stride,
          .lines = int(y.h),
          .columns = int(y.w),
          .one_column = s.c == 1 && y.c != 1};
}

Unary unary_of(Activation a) {
  switch (a) {
    case Activation::none: return Unary::copy;
    case Activation::silu: return Unary::silu;
    case Activation::gelu: return Unary::gelu;
    case Activation::quick_gelu: return Unary::quick_gelu;
    case Activation::relu: break;   // a kernel of its own: supports() lets nothing fuse it
    case Activation::geglu: break;  // halves the columns: only within a linear of our own
  }
  return Unary::copy;
}

int alignment_of(const void* p) {
  auto address = reinterpret_cast<uintptr_t>(p);
  return address == 0 ? 256 : int(std::min<uintptr_t>(256, address & (~address + 1)));
}

bool has_vectors(const TensorView& t) { return alignment_of(t.data) >= 16 && t.row_stride * size_of(t.dtype) % 16 == 0; }

Launch bind_epilogue(const Context& context, const TensorView& y, const TensorView& bias, Activation a, const TensorView& residual) {
  if (!bias.data && a == Activation::none && !residual.data) return {[](void*) {}};
  Matrix r = residual.data ? matrix_of(residual) : Matrix{};
  Broadcast shape = residual.data ? broadcast_of(residual, y.shape) : Broadcast{};
  return {[=, s = context.stream(), m = matrix_of(y), b = static_cast<const float*>(bias.data), act = unary_of(a)](void*) {
    launch_epilogue(s, m, b, act, r, shape);
  }};
}

}  // namespace hayate::cuda
