// 1x1 convolutions as linears; the rest by our own kernels, or cuDNN's precompiled engines where there is none.
#include <limits>
#include <optional>

#include "backend/cuda/cudnn_graph.h"
#include "backend/cuda/fastest.h"
#include "backend/cuda/test_pattern.h"
#include "backend/cuda/tile_product.h"
#include "core/error.h"

namespace hayate::cuda {

namespace {
constexpr int kCandidates = 4;

// What happens after the products within one plan, in this order.
struct Fusion {
  bool bias, residual;
};

bool fusible_residual(const Operands& o) { return o.has(3) && o.in[3].shape == o.out.shape && o.node.as<ConvAttr>().activation == Activation::none; }

class Convolution {
 public:
  Convolution(const Operands& o, Fusion f) : attr_(o.node.as<ConvAttr>()) {
    const TensorView &x = o.in[0], &w = o.in[1], &y = o.out;
    CudnnTensor from{1, x.dtype, x.shape, x.row_stride, x.data}, filter{2, w.dtype, w.shape, w.shape.c, w.data};
    CudnnTensor product = f.bias || f.residual ? intermediate(10, y.shape) : result(y);
    take(from), take(filter);
    convolve(from, filter, product);
    if (f.bias) {
      CudnnTensor bias{4, Dtype::f32, {1, 1, 1, y.shape.c}, y.shape.c, o.in[2].data};
      take(bias);
      product = add(product, bias, f.residual ? intermediate(11, y.shape) : result(y));
    }
    if (f.residual) {
      CudnnTensor residual{5, y.dtype, y.shape, o.in[3].row_stride, o.in[3].data};
      take(residual);
      add(product, residual, result(y));
    }
    take(result(y));
    key_ = fmt::format("conv2d {} {} {} stride {} pad {},{} rows {} {} {}{} aligned {} {}", name_of(y.dtype), to_string(x.shape), to_string(w.shape),
                       attr_.stride, attr_.pad_begin, attr_.pad_end, x.row_stride, y.row_stride, f.bias ? " bias" : "", f.residual ? " residual" : "",
                       alignment_of(x.data), alignment_of(y.data));
  }

  std::optional<Launch> bind(const Context& context, bool exact) const {
    // Candidates that turn out not to run drop out here, so that an index of the table means the same in the next process.
    std::vector<std::shared_ptr<CudnnPlan>> plans;
    for (const CudnnDescriptor& engine : cudnn_engines(context, operations_, exact)) {
      if (int(plans.size()) == (context.deterministic ? 1 : kCandidates)) break;
      if (auto plan = cudnn_plan(context, engine)) plans.push_back(plan);
    }
    if (plans.empty()) return {};
    int best = context.algorithms->choose(key_, int(plans.size()), [&](int i, double rival) { return seconds(context, *plans[size_t(i)], rival); });
    auto run = [&context, plan = plans[size_t(best)], ids = ids_, data = data_](void* workspace) {
      check(cudnn_run(context, *plan, ids, data, workspace), "running a convolution");
    };
    return Launch{std::move(run), plans[size_t(best)]->workspace};
  }

 private:
  static CudnnTensor result(const TensorView& y) { return {3, y.dtype, y.shape, y.row_stride, y.data}; }
  static CudnnTensor intermediate(int64_t id, Shape s) {
    return {.id = id, .dtype = Dtype::f32, .shape = s, .row_stride = s.c, .intermediate = true};
  }
  void take(const CudnnTensor& t) {
    ids_.push_back(t.id);
    data_.push_back(const_cast<void*>(t.data));
    bytes_.push_back(((t.shape.rows() - 1) * t.row_stride + t.shape.c) * size_of(t.dtype));
  }

  void convolve(const CudnnTensor& x, const CudnnTensor& w, const CudnnTensor& y) {
    int64_t begin[] = {attr_.pad_begin, attr_.pad_begin}, end[] = {attr_.pad_end, attr_.pad_end}, stride[] = {attr_.stride, attr_.stride},
            one[] = {1, 1};
    CudnnDescriptor c(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    c.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT);
    c.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, CUDNN_CROSS_CORRELATION);
    c.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, int64_t{2});
    c.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, std::span<const int64_t>(begin));
    c.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, std::span<const int64_t>(end));
    c.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, std::span<const int64_t>(stride));
    c.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, std::span<const int64_t>(one));
    c.complete();
    CudnnDescriptor op(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    op.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, c).set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x.descriptor());
    op.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, w.descriptor()).set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y.descriptor());
    op.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, 1.f)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, 0.f);
    op.complete();
    operations_.push_back(op);
  }

  CudnnTensor add(const CudnnTensor& a, const CudnnTensor& b, const CudnnTensor& y) {
    CudnnDescriptor mode(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    mode.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, CUDNN_POINTWISE_ADD);
    mode.set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT);
    mode.complete();
    CudnnDescriptor op(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    op.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, mode).set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, a.descriptor());
    op.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, b.descriptor()).set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y.descriptor());
    op.complete();
    operations_.push_back(op);
    return y;
  }

  double seconds(const Context& context, const CudnnPlan& plan, double rival) const {
    std::vector<int64_t> sizes = bytes_;
    sizes.push_back(plan.workspace);
    TestPattern pattern(context, sizes);
    std::vector<void*> data;
    for (size_t i = 0; i < bytes_.size(); ++i) data.push_back(pattern.get(i));
    cudnnStatus_t status = CUDNN_STATUS_SUCCESS;
    double t = context.seconds([&] {
      if (cudnnStatus_t s = cudnn_run(context, plan, ids_, data, pattern.get(bytes_.size())); s != CUDNN_STATUS_SUCCESS) status = s;
    }, kMeasuredRuns, rival);
    return status == CUDNN_STATUS_SUCCESS ? t : std::numeric_limits<double>::infinity();
  }

  ConvAttr attr_;
  std::vector<CudnnDescriptor> operations_;
  std::vector<int64_t> ids_, bytes_;
  std::vector<void*> data_;
  std::string key_;
};

ConvolutionArgs arguments_of(const Operands& o) {
  const auto& a = o.node.as<ConvAttr>();
  const TensorView &x = o.in[0], &w = o.in[1], &y = o.out;
  return {.x = x.data,
          .w = w.data,
          .y = y.data,
          .dtype = y.dtype,
          .images = int(x.shape.n),
          .h = int(x.shape.h),
          .w_in = int(x.shape.w),
          .c = int(x.shape.c),
          .out_h = int(y.shape.h),
          .out_w = int(y.shape.w),
          .out_c = int(y.shape.c),
          .kernel_h = int(w.shape.h),
          .kernel_w = int(w.shape.w),
          .stride = a.stride,
          .pad = a.pad_begin,
          .x_stride = x.row_stride,
          .y_stride = y.row_stride};
}
Launch bind_plain(const Operands& o, const Context& context) {
  return {[args = arguments_of(o), s = context.stream()](void*) { launch_convolution(s, args); }};
}
Launch bind_few(const Operands& o, const Context& context) {
  Launch product{[args = arguments_of(o), s = context.stream(), processors = context.device->info().multiprocessors](void*) {
    launch_convolution_few(s, args, processors);
  }};
  return in_order({product, bind_epilogue(context, o.out, o.has(2) ? o.in[2] : TensorView{}, o.node.as<ConvAttr>().activation,
                                          o.has(3) ? o.in[3] : TensorView{})});
}

// A convolution of single pixels is a product of the same bytes.
bool is_pointwise(const Operands& o) {
  const auto& a = o.node.as<ConvAttr>();
  return o.in[1].shape.h == 1 && o.in[1].shape.w == 1 && a.stride == 1 && a.pad_begin == 0 && a.pad_end == 0;
}
Launch bind_pointwise(const Operands& o, const Context& context, BindOptions options) {
  Node n = o.node;
  n.op = Op::linear;
  n.attr = LinearAttr{o.node.as<ConvAttr>().activation};
  Operands linear{o.program, n, o.out, o.in};
  linear.in[1].shape = {1, 1, o.in[1].shape.n, o.in[1].shape.c};
  return bind_linear(linear, context, options);
}

std::optional<Launch> bind_cudnn(const Operands& o, Fusion f, const Context& context, bool exact) try {
  return Convolution(o, f).bind(context, exact);
} catch (const CudnnRefused&) { return {}; }

// With as much of the epilogue as one of cuDNN's engines takes.
Launch bind_library(const Operands& o, const Context& context, BindOptions options) {
  bool exact = o.out.dtype == Dtype::f32 && !options.tf32;
  TensorView bias = o.has(2) ? o.in[2] : TensorView{}, residual = o.has(3) ? o.in[3] : TensorView{};
  Activation act = o.node.as<ConvAttr>().activation;
  if (o.has(2) && fusible_residual(o))
    if (auto all = bind_cudnn(o, {true, true}, context, exact)) return *all;
  if (o.has(2))
    if (auto with_bias = bind_cudnn(o, {true, false}, context, exact))
      return in_order({*with_bias, bind_epilogue(context, o.out, {}, act, residual)});
  auto product = bind_cudnn(o, {false, false}, context, exact);
  return in_order({product ? *product : bind_plain(o, context), bind_epilogue(context, o.out, bias, act, residual)});
}
}  // namespace

Launch bind_conv2d(const Operands& o, const Context& context, BindOptions options) {
  if (is_pointwise(o)) return bind_pointwise(o, context, options);
  std::vector<Way> ways;
  // cuDNN is up to a few percent faster on some of these shapes, but building its plans takes tenths of a second each.
  if (tiles_take(o, context)) add_tile_ways(ways, o, context, {.y_columns = options.y_columns});
  else ways.push_back([&](const Operands& at) { return bind_library(at, context, options); });
  const bool folded = o.node.as<ConvAttr>().upsample > 1;
  require(!folded || tiles_take(o, context), ErrorKind::internal, "conv2d {}: no kernel takes it", o.node.name);
  if (!folded && convolution_few_takes(arguments_of(o))) ways.push_back([&](const Operands& at) { return bind_few(at, context); });
  return bind_fastest(o, context, ways, options.y_columns ? "with columns" : "");
}

}  // namespace hayate::cuda
