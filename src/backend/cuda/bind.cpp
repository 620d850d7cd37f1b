// THE TABLE: which kernel runs an op.
#include "backend/cuda/context.h"
#include "backend/cuda/kernels/folded_norm.h"
#include "backend/cuda/kernels/relu.h"
#include "backend/cuda/status.h"
#include "core/error.h"

namespace hayate::cuda {

namespace {
const float* floats(const TensorView& v) { return static_cast<const float*>(v.data); }

template <class F>
Launch simple(F run) {
  return {[run](void*) { run(); }};
}

Launch bind_stack(const Operands& o, cudaStream_t s) {
  return simple([=, to = static_cast<std::byte*>(o.out.data), in = o.in] {
    for (int64_t at = 0; const TensorView& part : in) {
      int64_t bytes = part.shape.count() * size_of(part.dtype);
      check(cudaMemcpyAsync(to + at, part.data, size_t(bytes), cudaMemcpyDeviceToDevice, s), "stacking weights");
      at += bytes;
    }
  });
}

// Statistics of x at `to`, or (null) at the start of the workspace.
Launch bind_group_statistics(const Operands& o, const Context& c, const TensorView& region, void* to) {
  const Shape& shape = o.in[0].shape;
  int processors = c.device->info().multiprocessors;
  GroupStatisticsArgs args{.x = matrix_of(o.in[0]),
                           .images = int(shape.n),
                           .pixels = int(shape.tokens()),
                           .groups = o.node.as<NormAttr>().groups,
                           .line = int(shape.w),
                           .region = static_cast<const int32_t*>(region.data),
                           .statistics = static_cast<float*>(to),
                           .partial = nullptr};
  int64_t own = to ? 0 : 2 * shape.n * args.groups;
  auto run = [=, s = c.stream()](void* workspace) mutable {
    if (!to) args.statistics = static_cast<float*>(workspace);
    args.partial = static_cast<float*>(workspace) + own;
    launch_group_statistics(s, args, processors);
  };
  return {std::move(run), own * int64_t(sizeof(float)) + group_statistics_workspace(args.images, args.pixels, args.groups, processors)};
}

// The same from what the products that made x have written along.
Launch bind_statistics_of_columns(const Operands& o, const Context& c, const ColumnSums (&of)[2]) {
  const Shape& shape = o.in[0].shape;
  StatisticsOfColumnsArgs args{{of[0], of[1]}, int(shape.n), int(shape.tokens()), o.node.as<NormAttr>().groups, nullptr};
  auto run = [=, s = c.stream()](void* workspace) mutable {
    args.statistics = static_cast<float*>(workspace);
    launch_statistics_of_columns(s, args);
  };
  return {std::move(run), 2 * shape.n * args.groups * int64_t(sizeof(float))};
}

Launch bind_group_norm(const Operands& o, const Context& c, const BindOptions& options) {
  const auto& a = o.node.as<NormAttr>();
  const Shape& shape = o.out.shape;
  const bool given = o.has(3);
  GroupNormArgs args{.y = matrix_of(o.out),
                     .x = matrix_of(o.in[0]),
                     .gamma = floats(o.in[1]),
                     .beta = floats(o.in[2]),
                     .statistics = given ? floats(o.in[3]) : nullptr,
                     .y_scale = is_quantized(o.out.dtype) ? floats(o.in[4]) : nullptr,
                     .y_scales = o.out.scales(),
                     .eps = a.eps,
                     .images = int(shape.n),
                     .pixels = int(shape.tokens()),
                     .groups = a.groups,
                     .act = unary_of(a.activation)};
  auto normalise = [=, s = c.stream(), processors = c.device->info().multiprocessors](void* workspace) mutable {
    if (!given) args.statistics = static_cast<const float*>(workspace);
    launch_group_norm(s, args, processors);
  };
  if (given) return {std::move(normalise), 0};
  if (options.x_columns[0].sums) return in_order({bind_statistics_of_columns(o, c, options.x_columns), {std::move(normalise), 0}});
  if (small_group_norm_takes(args)) return {[=, s = c.stream()](void*) { launch_small_group_norm(s, args); }};
  return in_order({bind_group_statistics(o, c, {}, nullptr), {std::move(normalise), 0}});
}

Launch bind_quantize(const Operands& o, const Context& c) {
  QuantizeArgs args{.y = o.out.data,
                    .scales = o.out.scales(),
                    .x = matrix_of(o.in[0]),
                    .type = o.out.dtype,
                    .largest_number = largest_of(o.out.dtype),
                    .eps = o.node.as<QuantizeAttr>().normalise};
  require(quantize_takes(args.x), ErrorKind::internal, "quantize {}: rows cannot be read 8 elements at a time", o.node.name);
  cudaStream_t s = c.stream();
  if (!o.node.as<QuantizeAttr>().whole) return simple([=] { launch_quantize(s, args); });
  const int images = int(o.out.shape.n), processors = c.device->info().multiprocessors;
  return {[=](void* workspace) { launch_quantize_images(s, args, images, static_cast<float*>(workspace), processors); },
          quantize_images_workspace(args.x.rows, images, processors)};
}

Launch bind_bound(const Operands& o, cudaStream_t s) {
  const auto& a = o.node.as<BoundAttr>();
  const TensorView &x = o.in[0], b = o.has(1) ? o.in[1] : TensorView{};
  BoundArgs args{.y = o.out.row<float>(0),
                 .x = matrix_of(x),
                 .x_scales = is_quantized(x.dtype) ? x.scales() : nullptr,
                 .b = floats(b),
                 .b_count = int(b.shape.c),
                 .begin = a.begin,
                 .count = a.count ? a.count : x.shape.rows(),
                 .rows = a.of != BoundAttr::Of::elements,
                 .gated = a.of == BoundAttr::Of::gated,
                 .interleaved = o.made_by(0) == Op::pack,
                 .norm = a.norm,
                 .largest_number = largest_of(Dtype::f8)};
  return simple([=] { launch_bound(s, args); });
}

// Rows, and with them their scales.
Launch bind_pack(const Operands& o, cudaStream_t s) {
  return simple([=, y = o.out, x = o.in[0]] {
    launch_interleave(s, matrix_of(y), matrix_of(x));
    if (!is_quantized(y.dtype)) return;
    auto scales = [](const TensorView& v) { return Matrix{v.scales(), v.shape.rows(), 1, 1, Dtype::f32}; };
    launch_interleave(s, scales(y), scales(x));
  });
}

Launch bind_timestep_embedding(const Operands& o, cudaStream_t s) {
  return simple([=, y = matrix_of(o.out), t = matrix_of(o.in[0]), a = o.node.as<TimestepAttr>()] {
    launch_timestep_embedding(s, y, t, a.dim, a.flip_sin_to_cos, a.freq_shift);
  });
}

Launch bind_guidance(const Operands& o, cudaStream_t s) {
  int64_t each = o.out.shape.tokens() * o.out.shape.c;
  require(o.in[0].packed_rows() && o.out.packed_rows(), ErrorKind::internal, "guidance {}: rows are not packed", o.node.name);
  return simple([=, out = static_cast<float*>(o.out.data), prediction = o.in[0], scale = o.in[1], rescale = o.in[2], images = int(o.out.shape.n)] {
    launch_guidance(s, out, floats(prediction), floats(scale), scale.row_stride, floats(rescale), rescale.row_stride, images, each);
  });
}
}  // namespace

Launch bind(const Operands& o, const Context& c, BindOptions options) {
  cudaStream_t s = c.stream();
  auto in = [&](size_t k) { return matrix_of(o.in[k]); };
  Matrix y = matrix_of(o.out);
  switch (o.node.op) {
    case Op::input:
    case Op::weight:
    case Op::slice:
    case Op::fold_nearest: break;  // made where weights are read
    case Op::cast: return simple([=, x = in(0)] { launch_unary(s, y, x, Unary::copy); });
    case Op::pack: return bind_pack(o, s);
    case Op::stack: return bind_stack(o, s);
    case Op::row_sums: return simple([=, sums = static_cast<float*>(o.out.data), w = in(0)] { launch_row_sums(s, sums, w); });
    case Op::scale_columns: return simple([=, w = in(0), factors = floats(o.in[1])] { launch_scale_columns(s, y, w, factors); });
    case Op::row_dots:
      return simple([=, y = static_cast<float*>(o.out.data), w = in(0), v = floats(o.in[1]), b = o.has(2) ? floats(o.in[2]) : nullptr] { launch_row_dots(s, y, w, v, b); });
    case Op::quantize: return bind_quantize(o, c);
    case Op::bound: return bind_bound(o, s);
    case Op::linear: return bind_linear(o, c, options);
    case Op::conv2d: return bind_conv2d(o, c, options);
    case Op::group_norm: return bind_group_norm(o, c, options);
    case Op::group_statistics: return bind_group_statistics(o, c, o.in[1], o.out.data);
    case Op::layer_norm:
      return simple([=, x = in(0), gamma = floats(o.in[1]), beta = floats(o.in[2]), eps = o.node.as<NormAttr>().eps] {
        launch_layer_norm(s, y, x, gamma, beta, eps);
      });
    case Op::silu: return simple([=, x = in(0)] { launch_unary(s, y, x, Unary::silu); });
    case Op::gelu: return simple([=, x = in(0)] { launch_unary(s, y, x, Unary::gelu); });
    case Op::quick_gelu: return simple([=, x = in(0)] { launch_unary(s, y, x, Unary::quick_gelu); });
    case Op::relu: return simple([=, x = in(0)] { launch_relu(s, y, x); });
    case Op::add: return simple([=, a = in(0), b = in(1), shape = broadcast_of(o.in[1], o.out.shape)] { launch_add(s, y, a, b, shape); });
    case Op::mul: return simple([=, a = in(0), b = in(1), shape = broadcast_of(o.in[1], o.out.shape)] { launch_mul(s, y, a, b, shape); });
    case Op::affine: return simple([=, x = in(0), a = o.node.as<AffineAttr>()] { launch_affine(s, y, x, a.scale, a.shift); });
    case Op::concat: return simple([=, a = in(0), b = in(1)] { launch_concat(s, y, a, b); });
    case Op::repeat: return simple([=, x = in(0)] { launch_copy(s, y, x); });
    case Op::upsample_nearest:
      return simple(
          [=, x = in(0), to = o.out.shape, from = o.in[0].shape] { launch_upsample(s, y, int(to.h), int(to.w), x, int(from.h), int(from.w)); });
    case Op::pad:
      return simple([=, x = in(0), to = o.out.shape, from = o.in[0].shape, a = o.node.as<PadAttr>()] {
        launch_pad(s, y, int(to.h), int(to.w), x, int(from.h), int(from.w), a.size, a.wrap_x, a.wrap_y);
      });
    case Op::embedding: return simple([=, ids = o.in[0].row<int32_t>(0), table = in(1)] { launch_gather(s, y, table, ids, 0); });
    case Op::take_token:
      return simple([=, x = in(0), index = o.in[1].row<int32_t>(0), tokens = o.in[0].shape.tokens()] { launch_gather(s, y, x, index, tokens); });
    case Op::timestep_embedding: return bind_timestep_embedding(o, s);
    case Op::attention_scores: return bind_attention_scores(o, c, options);
    case Op::softmax: return simple([=, x = in(0)] { launch_softmax(s, y, x); });
    case Op::attention_mix: return bind_attention_mix(o, c, options);
    case Op::attention: return bind_attention(o, c, options);
    case Op::geglu: return simple([=, x = in(0)] { launch_geglu(s, y, x); });
    case Op::guidance: return bind_guidance(o, s);
    case Op::mimic:
      return simple([=, prediction = in(0), other = in(1), x = in(2), clean = in(3), shape = o.out.shape] {
        launch_mimic(s, y, prediction, other, x, clean, int(shape.n), shape.tokens());
      });
    case Op::scheduler_row:
      return simple([=, state = in(0), prediction = in(1), noise = in(2), matrix = in(3), tokens = o.out.shape.tokens()] {
        launch_scheduler_row(s, y, state, prediction, noise, matrix, tokens);
      });
  }
  fail(ErrorKind::internal, "{} {}: not computed by an op", name_of(o.node.op), o.node.name);
}

}  // namespace hayate::cuda
