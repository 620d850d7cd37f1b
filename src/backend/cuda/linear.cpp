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

// A gated projection whose weight was not packed: with a packed copy of its own.
Launch bind_interleaved(const Operands& o, const Context& context, BindOptions options) {
  Buffer copy = context.device->allocate(o.in[1].shape.count() * size_of(o.in[1].dtype));
  Node pack{.op = Op::pack, .in = {o.node.in[1]}, .dtype = o.in[1].dtype, .name = o.node.name + ".packed"};
  Program packed = o.program;
  Node n = o.node;
  n.in[1] = packed.add(pack);
  Operands on_copy{packed, n, o.out, o.in};
  on_copy.in[1] = packed_view(packed[n.in[1]], copy.get());
  launch_interleave(context.stream(), matrix_of(on_copy.in[1]), matrix_of(o.in[1]));
  Launch launch = bind_linear(on_copy, context, options);
  return {[copy, enqueue = std::move(launch.enqueue)](void* workspace) { enqueue(workspace); }, launch.workspace};
}
}  // namespace

Launch bind_linear(const Operands& o, const Context& context, BindOptions options) {
  constexpr int64_t kFewRows = 256;  // too few to fill a GPU with tiles
  bool geglu = o.node.as<LinearAttr>().activation == Activation::geglu;
  std::vector<Way> ways;
  if (geglu && o.made_by(1) != Op::pack) return bind_interleaved(o, context, options);
  if (!geglu) ways.push_back([&](const Operands& at) { return bind_library(at, context, options); });
  if (geglu || (tiles_take(o, context) && o.out.shape.rows() >= kFewRows)) add_tile_ways(ways, context);
  return bind_fastest(o, context, ways);
}

}  // namespace hayate::cuda
