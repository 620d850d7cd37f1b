// Row-major products as cuBLASLt's column-major ones: y^T = w x^T.
#include "backend/cuda/matmul.h"

#include <limits>

#include "backend/cuda/libraries.h"
#include "backend/cuda/status.h"
#include "backend/cuda/test_pattern.h"
#include "core/error.h"

namespace hayate::cuda {

namespace {
constexpr int kCandidates = 6;
constexpr int64_t kWorkspace = 32 << 20;  // what cuBLAS itself uses on Hopper

cudaDataType_t type_of(Dtype t) {
  switch (t) {
    case Dtype::f32: return CUDA_R_32F;
    case Dtype::f16: return CUDA_R_16F;
    case Dtype::bf16: return CUDA_R_16BF;
    case Dtype::i32: case Dtype::i8: case Dtype::f8: break;
  }
  fail(ErrorKind::internal, "cuBLASLt: no products of {}", name_of(t));
}

// Of every row of every product in a batch, in bytes: a product may run at any row of its matrices.
struct Alignments {
  uint32_t x, w, y, residual;
  explicit Alignments(const MatmulProblem& p)
      : x(of(p.x, p.x_stride, p.x_batch, p.dtype)),
        w(of(p.w, p.w_stride, p.w_batch, p.dtype)),
        y(of(p.y, p.y_stride, p.y_batch, p.y_dtype)),
        residual(p.residual ? of(p.residual, p.residual_stride, 0, p.y_dtype) : y) {}
  static uint32_t of(const void* first, int64_t stride, int64_t batch_stride, Dtype t) {
    auto bits = reinterpret_cast<uintptr_t>(first) | uintptr_t(stride * size_of(t)) | uintptr_t(batch_stride * size_of(t));
    return uint32_t(alignment_of(reinterpret_cast<const void*>(bits)));
  }
};

// Owns one of cuBLASLt's opaque objects.
template <class T>
using Owned = std::shared_ptr<std::remove_pointer_t<T>>;

class Plan {
 public:
  explicit Plan(const MatmulProblem& p) : p_(p) {
    const CublasLt& lt = cublas_lt();
    cublasLtMatmulDesc_t desc = nullptr;
    cublasComputeType_t compute = p.dtype == Dtype::f32 && p.tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
    check(lt.MatmulDescCreate(&desc, compute, CUDA_R_32F), "describing a product");
    desc_ = {desc, lt.MatmulDescDestroy};
    set(CUBLASLT_MATMUL_DESC_TRANSA, int32_t(p.w_by_input ? CUBLAS_OP_N : CUBLAS_OP_T));
    set(CUBLASLT_MATMUL_DESC_TRANSB, int32_t(CUBLAS_OP_N));
    if (p.bias) {
      set(CUBLASLT_MATMUL_DESC_EPILOGUE, uint32_t(CUBLASLT_EPILOGUE_BIAS));
      set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.bias);
    }
    w_ = layout(p.dtype, p.w_by_input ? p.n : p.k, p.w_by_input ? p.k : p.n, p.w_stride, p.w_batch);
    x_ = layout(p.dtype, p.k, p.m, p.x_stride, p.x_batch);
    y_ = layout(p.y_dtype, p.n, p.m, p.y_stride, p.y_batch);
    c_ = p.residual ? layout(p.y_dtype, p.n, p.m, p.residual_stride, 0) : y_;
  }

  std::vector<cublasLtMatmulHeuristicResult_t> candidates(cublasLtHandle_t handle) const {
    const CublasLt& lt = cublas_lt();
    cublasLtMatmulPreference_t preference = nullptr;
    check(lt.MatmulPreferenceCreate(&preference), "choosing a product");
    Owned<cublasLtMatmulPreference_t> owned(preference, lt.MatmulPreferenceDestroy);
    auto prefer = [&](cublasLtMatmulPreferenceAttributes_t a, auto value) {
      check(lt.MatmulPreferenceSetAttribute(preference, a, &value, sizeof value), "choosing a product");
    };
    prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, uint64_t(kWorkspace));
    Alignments aligned(p_);
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, aligned.w);
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, aligned.x);
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, aligned.residual);
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, aligned.y);
    std::vector<cublasLtMatmulHeuristicResult_t> found(kCandidates);
    int count = 0;
    cublasStatus_t s =
        lt.MatmulAlgoGetHeuristic(handle, desc_.get(), w_.get(), x_.get(), c_.get(), y_.get(), preference, kCandidates, found.data(), &count);
    found.resize(s == CUBLAS_STATUS_SUCCESS ? size_t(count) : 0);
    std::erase_if(found, [](const auto& f) { return f.state != CUBLAS_STATUS_SUCCESS; });
    return found;
  }

  cublasStatus_t run(cublasLtHandle_t handle, const cublasLtMatmulAlgo_t& algorithm, const void* x, const void* w, void* y, const void* residual,
                     void* workspace, cudaStream_t stream) const {
    float beta = residual ? 1 : 0;
    return cublas_lt().Matmul(handle, desc_.get(), &p_.alpha, w, w_.get(), x, x_.get(), &beta, residual ? residual : y, c_.get(), y, y_.get(),
                              &algorithm, workspace, size_t(kWorkspace), stream);
  }

 private:
  template <class V>
  void set(cublasLtMatmulDescAttributes_t a, V value) {
    check(cublas_lt().MatmulDescSetAttribute(desc_.get(), a, &value, sizeof value), "describing a product");
  }
  Owned<cublasLtMatrixLayout_t> layout(Dtype t, int64_t rows, int64_t columns, int64_t stride, int64_t batch_stride) const {
    const CublasLt& lt = cublas_lt();
    cublasLtMatrixLayout_t made = nullptr;
    check(lt.MatrixLayoutCreate(&made, type_of(t), uint64_t(rows), uint64_t(columns), stride), "describing a matrix");
    Owned<cublasLtMatrixLayout_t> owned(made, lt.MatrixLayoutDestroy);
    if (p_.batch > 1) {
      int32_t count = p_.batch;
      check(lt.MatrixLayoutSetAttribute(made, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count), "describing a matrix");
      check(lt.MatrixLayoutSetAttribute(made, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &batch_stride, sizeof batch_stride),
            "describing a matrix");
    }
    return owned;
  }

  MatmulProblem p_;
  Owned<cublasLtMatmulDesc_t> desc_;
  Owned<cublasLtMatrixLayout_t> w_, x_, y_, c_;
};

std::string key_of(const MatmulProblem& p) {
  Alignments aligned(p);
  return fmt::format("matmul {} {} {}x{}x{} strides {} {} {} {}{}{}{}{} batch {} by {} {} {} aligned {} {} {}", name_of(p.dtype), name_of(p.y_dtype),
                     p.m, p.n, p.k, p.x_stride, p.w_stride, p.y_stride, p.residual_stride, p.w_by_input ? " by input" : "", p.bias ? " bias" : "",
                     p.residual ? " residual" : "", p.tf32 ? " tf32" : "", p.batch, p.x_batch, p.w_batch, p.y_batch, aligned.x, aligned.w, aligned.y);
}

// Bytes from a matrix's first element to past its last.
int64_t extent(int64_t rows, int64_t columns, int64_t stride, int batch, int64_t batch_stride, Dtype t) {
  return ((batch - 1) * batch_stride + (rows - 1) * stride + columns) * size_of(t);
}
}  // namespace

std::optional<Product> bind_cublas(const MatmulProblem& p, const Context& context) {
  Plan plan(p);
  auto candidates = plan.candidates(context.blas);
  if (candidates.empty()) return {};
  // Measured on random numbers in memory of their own: zeros would run faster than real data.
  std::optional<TestPattern> data;
  auto seconds = [&](int i, double rival) {
    if (!data) {
      int64_t x = extent(p.m, p.k, p.x_stride, p.batch, p.x_batch, p.dtype), y = extent(p.m, p.n, p.y_stride, p.batch, p.y_batch, p.y_dtype);
      int64_t w =
          p.w_by_input ? extent(p.k, p.n, p.w_stride, p.batch, p.w_batch, p.dtype) : extent(p.n, p.k, p.w_stride, p.batch, p.w_batch, p.dtype);
      int64_t residual = p.residual ? extent(p.m, p.n, p.residual_stride, 1, 0, p.y_dtype) : 0;
      data.emplace(context, std::vector<int64_t>{x, w, y, residual, kWorkspace});
    }
    cublasStatus_t status = CUBLAS_STATUS_SUCCESS;
    double t = context.seconds([&] {
      cublasStatus_t s =
          plan.run(context.blas, candidates[size_t(i)].algo, data->get(0), data->get(1), data->get(2), data->get(3), data->get(4), context.stream());
      if (s != CUBLAS_STATUS_SUCCESS) status = s;
    }, kMeasuredRuns, rival);
    return status == CUBLAS_STATUS_SUCCESS ? t : std::numeric_limits<double>::infinity();
  };
  int best = context.algorithms->choose(key_of(p), int(candidates.size()), seconds);
  auto run = [=, algorithm = candidates[size_t(best)].algo, handle = context.blas, stream = context.stream()](const Product::Addresses& a,
                                                                                                              void* workspace) {
    check(plan.run(handle, algorithm, a.x, a.w, a.y, a.residual, workspace, stream), "running a product");
  };
  return Product{std::move(run), kWorkspace};
}

Product bind_product(const MatmulProblem& p, const Context& context) {
  if (auto product = bind_cublas(p, context)) return *product;
  ProductArgs args{.x = nullptr,
                   .w = nullptr,
                   .y = nullptr,
                   .dtype = p.dtype,
                   .y_dtype = p.y_dtype,
                   .m = p.m,
                   .n = int(p.n),
                   .k = int(p.k),
                   .x_stride = p.x_stride,
                   .y_stride = p.y_stride,
                   .w_row = p.w_by_input ? 1 : p.w_stride,
                   .w_col = p.w_by_input ? p.w_stride : 1,
                   .batch = p.batch,
                   .x_batch = p.x_batch,
                   .w_batch = p.w_batch,
                   .y_batch = p.y_batch,
                   .alpha = p.alpha};
  auto run = [args, s = context.stream()](const Product::Addresses& a, void*) mutable {
    args.x = a.x, args.w = a.w, args.y = a.y;
    launch_product(s, args);
  };
  return {std::move(run), 0};
}

Launch at_addresses(Product product, const MatmulProblem& p) {
  Product::Addresses a{p.x, p.w, p.y, p.residual};
  return {[enqueue = std::move(product.enqueue), a](void* workspace) { enqueue(a, workspace); }, product.workspace};
}

}  // namespace hayate::cuda
