// cuBLASLt with bias and residual in its epilogue where it has them, or our own kernel where that measures faster.
#include "backend/cuda/fastest.h"
#include "backend/cuda/matmul.h"
#include "backend/cuda/tile_product.h"

namespace hayate::cuda {

namespace {
// A float32 vector in the type that cuBLASLt wants beside a result of type t.
Buffer vector_as(const TensorView& v, Dtype t, const Context& context) {
  Buffer copy = context.device->allocate(v.shape.c * size_of(t));
  launch_unary(context.stream(), {copy.get(), 1, v.shape.c, int(v.shape.c), t}, matrix_of(v), Unary::copy);
  return copy;
}

Launch bind_library(const Operands& o, const Context& context, BindOptions options) {
  const TensorView &x = o.in[0], &w = o.in[1], &y = o.out;
  MatmulProblem p{.x = x.data,
                  .w = w.data,
                  .y = y.data,
                  .m = y.shape.rows(),
                  .n = y.shape.c,
                  .k = x.shape.c,
                  .x_stride = x.row_stride,
                  .w_stride = w.row_stride,
                  .y_stride = y.row_stride,
                  .dtype = x.dtype,
                  .y_dtype = y.dtype,
                  .tf32 = options.tf32};
  TensorView bias = o.has(2) ? o.in[2] : TensorView{}, residual = o.has(3) ? o.in[3] : TensorView{};
  Activation act = o.node.as<LinearAttr>().activation;

  MatmulProblem fused = p;
  Buffer bias_copy;
  bool takes_residual = residual.data && residual.shape == y.shape && act == Activation::none;
  if (bias.data && (bias.dtype != y.dtype)) bias_copy = vector_as(bias, y.dtype, context);
  if (bias.data) fused.bias = bias_copy ? bias_copy.get() : bias.data;
  if (takes_residual) fused.residual = residual.data, fused.residual_stride = residual.row_stride;
  if (auto product = bind_cublas(fused, context)) {
    Launch launch = at_addresses(*product, fused);
    launch.enqueue = [enqueue = std::move(launch.enqueue), bias_copy](void* workspace) { enqueue(workspace); };
    return in_order({launch, bind_epilogue(context, y, {}, act, takes_residual ? TensorView{} : residual)});
  }
  return in_order({at_addresses(bind_product(p, context), p), bind_epilogue(context, y, bias, act, residual)});
}

// Factors in eight bits, where the kernels of Hopper are not.
Launch bind_narrow(const Operands& o, const Context& context) {
  const TensorView &x = o.in[0], &w = o.in[1], &y = o.out, residual = o.has(3) ? o.in[3] : TensorView{};
  NarrowProductArgs args{.x = x.data,
                         .w = w.data,
                         .y = y.data,
                         .x_scales = x.scales(),
                         .w_scales = w.scales(),
                         .bias = o.has(2) ? o.in[2].row<const float>(0) : nullptr,
                         .residual = residual.data,
                         .residual_stride = residual.row_stride,
                         .residual_repeat = residual.data && residual.shape != y.shape ? y.shape.tokens() : 1,
                         .m = y.shape.rows(),
                         .y_stride = y.row_stride,
                         .n = int(y.shape.c),
                         .k = int(x.shape.c),
                         .factor = x.dtype,
                         .result = y.dtype};
  return {[args, s = context.stream()](void*) { launch_narrow_product(s, args); }};
}

Launch with_moments(Launch product, const TensorView& y, const Context& context, BindOptions options) {
  if (!options.y_moments) return product;
  return in_order({std::move(product), {[=, s = context.stream(), y = matrix_of(y)](void*) { launch_row_moments(s, options.y_moments, y); }}});
}

// A product that normalises rows, whose weight was not summed: with sums of its own.
Launch bind_with_sums(const Operands& o, const Context& context, BindOptions options) {
  const Shape shape{1, 1, 1, o.in[1].shape.rows()};
  Buffer sums = context.device->allocate(shape.c * size_of(Dtype::f32));
  launch_row_sums(context.stream(), reinterpret_cast<float*>(sums.get()), matrix_of(o.in[1]));
  Operands with = o;
  with.in.resize(5);
  with.in[4] = {sums.get(), shape.c, shape, Dtype::f32};
  Launch launch = bind_linear(with, context, options);
  return {[sums, enqueue = std::move(launch.enqueue)](void* workspace) { enqueue(workspace); }, launch.workspace};
}

// A product that normalises rows of which nobody has written the moments.
Launch bind_after_moments(const Operands& o, const Context& context, BindOptions options) {
  const TensorView& x = o.in[0];
  Buffer parts = context.device->allocate(moments_bytes(x.shape.rows(), x.shape.c));
  options.x_moments = reinterpret_cast<const float2*>(parts.get());
  Launch first{[=, s = context.stream(), x = matrix_of(x)](void*) { launch_row_moments(s, reinterpret_cast<float2*>(parts.get()), x); }};
  return in_order({std::move(first), bind_linear(o, context, options)});
}

// A gated projection whose weight was not packed: with a packed copy of its own.
Launch bind_interleaved(const Operands& o, const Context& context, BindOptions options) {
  Node pack{.op = Op::pack, .in = {o.node.in[1]}, .dtype = o.in[1].dtype, .name = o.node.name + ".packed"};
  Program packed = o.program;
  Node n = o.node;
  n.in[1] = packed.add(pack);
  Buffer copy = context.device->allocate(byte_size(packed[n.in[1]]));
  Operands on_copy{packed, n, o.out, o.in};
  on_copy.in[1] = packed_view(packed[n.in[1]], copy.get());
  bind({packed, packed[n.in[1]], on_copy.in[1], {o.in[1]}}, context, {}).enqueue(nullptr);
  Launch launch = bind_linear(on_copy, context, options);
  return {[copy, enqueue = std::move(launch.enqueue)](void* workspace) { enqueue(workspace); }, launch.workspace};
}
}  // namespace

Launch bind_linear(const Operands& o, const Context& context, BindOptions options) {
  const auto& a = o.node.as<LinearAttr>();
  const bool ours = a.activation == Activation::geglu || a.normalise > 0 || is_quantized(o.in[0].dtype);  // the library has none of them
  std::vector<Way> ways;
  if (a.activation == Activation::geglu && o.made_by(1) != Op::pack) return bind_interleaved(o, context, options);
  if (a.normalise > 0 && !o.has(4)) return bind_with_sums(o, context, options);
  if (a.normalise > 0 && !options.x_moments) return bind_after_moments(o, context, options);
  if (!ours && !options.y_columns) ways.push_back([&](const Operands& at) { return with_moments(bind_library(at, context, options), at.out, context, options); });
  if (is_quantized(o.in[0].dtype) && !tiles_take(o, context)) return with_moments(bind_narrow(o, context), o.out, context, options);
  if (ours || (tiles_take(o, context) && o.out.shape.rows() >= kFewRows)) add_tile_ways(ways, o, context, options);
  return bind_fastest(o, context, ways, options.y_moments ? "with moments" : options.y_columns ? "with columns" : "");
}

}  // namespace hayate::cuda
