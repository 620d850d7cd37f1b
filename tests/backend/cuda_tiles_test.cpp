// Every variant of our own Hopper kernels against the reference, one by one, whichever of them would be chosen.
#include <gtest/gtest.h>

#include <cmath>

#include "backend/cuda/kernels/attention_sm90.h"
#include "backend/cuda/kernels/product_sm90.h"
#include "backend/cuda/tile_attention.h"
#include "backend/cuda/tile_product.h"
#include "backend/run_case.h"
#include "passes/passes.h"

namespace hayate::testing {
namespace {

// What a test needs of a GPU, or why there is none.
struct Gpu {
  std::shared_ptr<Backend> backend;
  std::unique_ptr<cuda::Context> context;
  std::string why;

  Gpu() {
    if (!cuda_devices(why).empty()) {
      CudaOptions options;
      options.deterministic = true;
      backend = make_cuda_backend(options);
      context = std::make_unique<cuda::Context>(options);
      if (context->capability / 10 != 9) why = "the GPU is not a Hopper";
    }
  }
};
const Gpu& gpu() {
  static const Gpu* one = new Gpu;
  return *one;
}

// The op named "y" of a program with operands on the GPU.
class OnGpu {
 public:
  OnGpu(const Program& p, const CaseValues& values) : program_(p), buffers_(size_t(p.size())), views_(size_t(p.size())) {
    CaseWeights weights(*gpu().backend, values);
    for (Value v = 0; v < p.size(); ++v) {
      const Node& n = p[v];
      if (n.op == Op::input) {
        buffers_[size_t(v)] = gpu().context->device->allocate(byte_size(n));
        gpu().context->device->upload(buffers_[size_t(v)].get(), values.bytes(n));
      } else if (n.rate == Rate::load) {
        buffers_[size_t(v)] = weights.get(p, v);
      } else if (n.op == Op::slice) {
        const TensorView& whole = views_[size_t(n.in[0])];
        views_[size_t(v)] = {static_cast<std::byte*>(whole.data) + n.as<SliceAttr>().begin * size_of(n.dtype), whole.row_stride, n.shape, n.dtype};
        continue;
      } else {
        buffers_[size_t(v)] = gpu().context->device->allocate(byte_size(n));
      }
      views_[size_t(v)] = packed_view(n, buffers_[size_t(v)].get());
    }
    // Weights came through the backend's own stream.
    Buffer any = gpu().backend->allocate(4);
    std::vector<std::byte> four(4);
    gpu().backend->download(four, any);
    for (Value v = 0; v < p.size(); ++v) {
      if (!runs(p[v]) || v == p.outputs[0]) continue;
      cuda::Launch launch = cuda::bind(operands(v), *gpu().context, {});
      buffers_.push_back(gpu().context->device->allocate(std::max<int64_t>(launch.workspace, 1)));
      launch.enqueue(buffers_.back().get());
    }
  }

  Operands operands() const { return operands(program_.outputs[0]); }
  Operands operands(Value v) const {
    Operands o{program_, program_[v], views_[size_t(v)], {}};
    for (Value in : program_[v].in) o.in.push_back(in == none ? TensorView{} : views_[size_t(in)]);
    return o;
  }

  std::vector<float> run(const cuda::Launch& launch) {
    cuda::Device& device = *gpu().context->device;
    const Node& y = program_[program_.outputs[0]];
    std::vector<std::byte> bytes(size_t(byte_size(y)));
    device.set(views_[size_t(program_.outputs[0])].data, std::byte{0xff}, int64_t(bytes.size()));
    launch.enqueue(nullptr);
    device.download(bytes, views_[size_t(program_.outputs[0])].data);
    std::vector<float> result(size_t(y.shape.count()));
    convert(y.dtype, bytes, Dtype::f32, std::as_writable_bytes(std::span(result)));
    return result;
  }

 private:
  Program program_;
  std::vector<Buffer> buffers_;
  std::vector<TensorView> views_;
};

double relative_error(const std::vector<float>& a, const std::vector<float>& b) {
  double error = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) error += (double(a[i]) - b[i]) * (double(a[i]) - b[i]), norm += double(b[i]) * b[i];
  double e = std::sqrt(error / norm);
  return std::isfinite(e) ? e : INFINITY;
}
double bound_of(const OpCase& op, Dtype t) { return op.coarse ? 1e-2 : t == Dtype::bf16 ? 3e-3 : 5e-4; }

std::string name_of_case(const ::testing::TestParamInfo<std::tuple<OpCase, Dtype>>& info) {
  std::string name = fmt::format("{}_{}", name_of(std::get<1>(info.param)), std::get<0>(info.param).name);
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

Buffer moments_of(const TensorView& rows) {
  return gpu().context->device->allocate(cuda::moments_bytes(rows.shape.rows(), rows.shape.c));
}

// Relative error of the moments in `parts` against those of the rows of a result; NaN where there are none.
double moments_error(const Buffer& parts, const TensorView& y, const std::vector<float>& result) {
  const int64_t rows = y.shape.rows(), each = cuda::moment_parts(y.shape.c);
  std::vector<float2> made(size_t(rows * each));
  gpu().context->device->download(std::as_writable_bytes(std::span(made)), parts.get());
  double error = 0, norm = 0;
  for (int64_t r = 0; r < rows; ++r) {
    double sum = 0, square = 0, expected_sum = 0, expected_square = 0;
    for (int64_t i = 0; i < each; ++i) sum += made[size_t(r * each + i)].x, square += made[size_t(r * each + i)].y;
    for (int64_t c = 0; c < y.shape.c; ++c) {
      const double v = result[size_t(r * y.shape.c + c)];
      expected_sum += v, expected_square += v * v;
    }
    error += std::pow(sum - expected_sum, 2) + std::pow(square - expected_square, 2);
    norm += std::pow(expected_sum, 2) + std::pow(expected_square, 2);
  }
  return std::sqrt(error / norm);
}

// The same of columns, in each image.
double columns_error(const Buffer& parts, const Operands& o, const std::vector<float>& result) {
  const Shape& y = o.out.shape;
  const int64_t each = cuda::column_parts(o.node);
  std::vector<float2> made(size_t(y.n * each * y.c));
  gpu().context->device->download(std::as_writable_bytes(std::span(made)), parts.get());
  double error = 0, norm = 0;
  for (int64_t image = 0; image < y.n; ++image)
    for (int64_t c = 0; c < y.c; ++c) {
      double sum = 0, square = 0, expected_sum = 0, expected_square = 0;
      for (int64_t i = 0; i < each; ++i) sum += made[size_t((image * each + i) * y.c + c)].x, square += made[size_t((image * each + i) * y.c + c)].y;
      for (int64_t t = 0; t < y.tokens(); ++t) {
        const double v = result[size_t((image * y.tokens() + t) * y.c + c)];
        expected_sum += v, expected_square += v * v;
      }
      error += std::pow(sum - expected_sum, 2) + std::pow(square - expected_square, 2);
      norm += std::pow(expected_sum, 2) + std::pow(expected_square, 2);
    }
  return std::sqrt(error / norm);
}

class CudaTiles : public ::testing::TestWithParam<std::tuple<OpCase, Dtype>> {};

TEST_P(CudaTiles, EqualReference) {
  if (!gpu().why.empty()) GTEST_SKIP() << gpu().why;
  const auto& [op, dtype] = GetParam();
  Program p = pack_weights(op.record(dtype), {*gpu().backend, dtype});
  CaseValues values(p, op.fills);
  OnGpu on_gpu(p, values);
  Operands o = on_gpu.operands();
  std::vector<float> expected = run_case(*make_reference_backend(), op.record(op.coarse ? dtype : Dtype::f32), values);

  cuda::BindOptions options;
  Buffer of_x, of_y, of_columns;
  if (op.op == Op::linear && o.node.as<LinearAttr>().normalise > 0) {
    of_x = moments_of(o.in[0]);
    cuda::launch_row_moments(gpu().context->stream(), reinterpret_cast<float2*>(of_x.get()), cuda::matrix_of(o.in[0]));
    options.x_moments = reinterpret_cast<const float2*>(of_x.get());
  }
  if (op.op == Op::linear && o.node.as<LinearAttr>().activation == Activation::none) {
    of_y = moments_of(o.out);
    options.y_moments = reinterpret_cast<float2*>(of_y.get());
  }

  const bool pointwise = op.op == Op::conv2d && o.in[1].shape.h * o.in[1].shape.w == 1;
  if (!pointwise && op.op != Op::attention && size_of(o.out.dtype) == 2 && (op.op == Op::conv2d || o.node.as<LinearAttr>().activation == Activation::none)) {
    of_columns = gpu().context->device->allocate(o.out.shape.n * cuda::column_parts(o.node) * o.out.shape.c * int64_t(sizeof(float2)));
    options.y_columns = reinterpret_cast<float2*>(of_columns.get());
  }

  std::vector<cuda::Launch> launches;
  if (op.op == Op::attention) {
    if (cuda::tiles_take_attention(o, *gpu().context))
      for (int tile : cuda::kAttentionTiles) launches.push_back(cuda::bind_tile_attention(o, *gpu().context, tile));
  } else if (cuda::tiles_take(o, *gpu().context)) {
    for (int v = 0; v < cuda::kTileVariantCount; ++v) launches.push_back(cuda::bind_tile_product(o, *gpu().context, options, v));
  }
  ASSERT_FALSE(launches.empty()) << "the kernel does not take this case";
  for (size_t v = 0; v < launches.size(); ++v) {
    if (!launches[v].enqueue) continue;
    for (const Buffer& b : {of_y, of_columns})
      if (b) gpu().context->device->set(b.get(), std::byte{0xff}, b.bytes);
    std::vector<float> result = on_gpu.run(launches[v]);
    EXPECT_LE(relative_error(result, expected), bound_of(op, dtype)) << "variant " << v;
    EXPECT_EQ(on_gpu.run(launches[v]), result) << "variant " << v << ": a second run differs";
    if (of_y) {
      EXPECT_LE(moments_error(of_y, o.out, result), 3e-3) << "variant " << v << ": moments";
    }
    if (of_columns) {
      EXPECT_LE(columns_error(of_columns, o, result), 1e-5) << "variant " << v << ": sums of columns";
    }
  }
}
INSTANTIATE_TEST_SUITE_P(All, CudaTiles, ::testing::Combine(::testing::ValuesIn(tile_cases()), ::testing::Values(Dtype::bf16, Dtype::f16)),
                         name_of_case);

}  // namespace
}  // namespace hayate::testing
