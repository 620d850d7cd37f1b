// What the kernel is given for an op: tensor maps, boxes, taps.
#include "backend/cuda/tile_product.h"

#include <algorithm>
#include <cmath>

#include "backend/cuda/kernels/product_sm90.h"
#include "backend/cuda/tensor_map.h"

namespace hayate::cuda {

namespace {
// A linear is a convolution of one tap over an image of one line.
struct Problem {
  Shape x, y;
  int taps_h = 1, taps_w = 1, stride = 1, pad = 0;
  Activation activation;
  int upsample = 1;  // y is that of one phase
};

Shape flat(const Shape& s) { return {s.n, 1, s.tokens(), s.c}; }
// Of the result, or of one phase of it.
Shape image_of(const Node& n, const Shape& y) {
  if (n.op != Op::conv2d) return flat(y);
  const int64_t upsample = n.as<ConvAttr>().upsample;
  return {y.n, y.h / upsample, y.w / upsample, y.c};
}

Problem problem_of(const Operands& o) {
  const Shape y = image_of(o.node, o.out.shape);
  if (o.node.op == Op::conv2d) {
    const auto& a = o.node.as<ConvAttr>();
    return {o.in[0].shape, y, int(o.in[1].shape.h), int(o.in[1].shape.w), a.stride, a.pad_begin, a.activation, a.upsample};
  }
  return {.x = flat(o.in[0].shape), .y = y, .activation = o.node.as<LinearAttr>().activation};
}

int chunks_of(const Problem& p, Dtype t) { return int((p.x.c * size_of(t) + kChunkBytes - 1) / kChunkBytes); }
// Along the inner dimension, as the kernel goes.
int64_t steps_of(const Problem& p, Dtype t) { return int64_t(chunks_of(p, t)) * p.taps_h * p.taps_w; }

// The box of 64 pixels that covers a w x h image with the fewest to spare; the widest of equals.
std::pair<int, int> box_of(int64_t w, int64_t h) {
  std::pair<int, int> best{};
  int64_t least = INT64_MAX;
  for (int bw = kBoxPixels; bw >= 1; bw /= 2) {
    int bh = kBoxPixels / bw;
    int64_t boxes = (w + bw - 1) / bw * ((h + bh - 1) / bh);
    if (boxes < least) least = boxes, best = {bw, bh};
  }
  return best;
}

// Blocks that share a tile of a variant that splits, where each has something to do; less than 2: it is no variant for that.
int split_of(const TileVariant& variant, int tiles, int64_t steps, int processors) {
  return int(std::min<int64_t>({variant.most_split, processors / tiles, steps}));
}

// Outputs that the busiest multiprocessor makes one after another: a good estimate of time, as far as variants of one op are compared.
double outputs_in_a_row(const Operands& o, const TileVariant& variant, int processors) {
  const Problem p = problem_of(o);
  if (variant.geglu != (p.activation == Activation::geglu)) return INFINITY;
  auto [box_w, box_h] = box_of(p.y.w, p.y.h);
  const int64_t boxes = (p.y.w + box_w - 1) / box_w * ((p.y.h + box_h - 1) / box_h) * p.y.n;
  const int tiles = tiles_of(int(boxes), int(p.y.c), p.upsample * p.upsample, variant);
  const double each = double(variant.rows) * variant.columns;
  if (variant.most_split == 1) return double((tiles + processors - 1) / processors) * each;
  constexpr double kJoining = 1.5;  // what adding the parts up costs at most: short sums gain nothing
  const int split = split_of(variant, tiles, steps_of(p, o.in[0].dtype), processors);
  return split < 2 ? INFINITY : kJoining * each / split;
}

std::vector<int64_t> image_strides(const Shape& s, int64_t row) { return {row, s.w * row, s.tokens() * row}; }

bool is_full(const TensorView& residual, const TensorView& y) { return residual.shape == y.shape; }
bool is_image_row(const TensorView& residual, const TensorView& y) { return residual.shape == Shape{y.shape.n, 1, 1, y.shape.c}; }
}  // namespace

bool tiles_take(const Operands& o, const Context& context) {
  if (context.capability / 10 != 9 || (size_of(o.out.dtype) != 2 && !is_quantized(o.in[0].dtype))) return false;
  if (o.program[o.node.in[1]].rate != Rate::load) return false;  // the kernel reads it early
  Problem p = problem_of(o);
  if (p.activation != Activation::none && p.activation != Activation::geglu) return false;
  if (p.x.c * size_of(o.in[0].dtype) % 16 != 0 || o.out.shape.c % 8 != 0 || !has_vectors(o.in[0]) || !has_vectors(o.in[1]) || !has_vectors(o.out)) return false;
  if (is_quantized(o.out.dtype) && (p.activation != Activation::geglu || o.out.dtype != Dtype::f8)) return false;
  if (!o.has(3)) return true;
  const TensorView& r = o.in[3];
  return p.activation == Activation::none && ((is_full(r, o.out) && has_vectors(r)) || (is_image_row(r, o.out) && alignment_of(r.data) >= 4));
}

int column_parts(const Node& n) {
  const Shape y = image_of(n, n.shape);
  const auto [w, h] = box_of(y.w, y.h);
  const int64_t upsample = n.op == Op::conv2d ? n.as<ConvAttr>().upsample : 1;
  return int((y.w + w - 1) / w * ((y.h + h - 1) / h) * upsample * upsample);
}

Launch bind_tile_product(const Operands& o, const Context& context, BindOptions options, int v) {
  const TileVariant& variant = kTileVariants[v];
  const TensorView &x = o.in[0], &w = o.in[1], &y = o.out;
  Problem p = problem_of(o);
  auto [box_w, box_h] = box_of(p.y.w, p.y.h);
  bool geglu = p.activation == Activation::geglu;
  if (variant.geglu != geglu) return {};
  int64_t taps = p.taps_h * p.taps_w, rows = (geglu ? 2 : p.upsample * p.upsample) * p.y.c;
  // The phases' pixels are every other one of every other line.
  auto of_result = [&, bw = box_w, bh = box_h](const TensorView& t, int phase) {
    const Shape whole{p.y.n, p.y.h * p.upsample, p.y.w * p.upsample, p.y.c};
    auto* first = static_cast<std::byte*>(t.data) + (phase / 2 * whole.w + phase % 2) * t.row_stride * size_of(t.dtype);
    std::vector<int64_t> strides = image_strides(whole, t.row_stride);
    strides[0] *= p.upsample, strides[1] *= p.upsample;
    return tensor_map({first, t.dtype, {p.y.c, p.y.w, p.y.h, p.y.n}, strides, {int(kStoreBytes / size_of(t.dtype)), bw, bh, 1}});
  };

  const int channels = int(kChunkBytes / size_of(x.dtype));
  TileProduct t{};
  t.x = tensor_map({x.data,
                    x.dtype,
                    {p.x.c, p.x.w, p.x.h, p.x.n},
                    image_strides(p.x, x.row_stride),
                    {channels, box_w, box_h, 1},
                    {1, p.stride, p.stride, 1}});
  t.phases = p.upsample * p.upsample;
  for (int phase = 0; phase < t.phases; ++phase) t.y[phase] = of_result(y, phase);
  if (o.has(2)) t.bias = static_cast<const float*>(o.in[2].data);
  if (o.has(3) && is_full(o.in[3], y)) {
    t.residual = of_result(o.in[3], 0);
    t.has_residual = true;
  } else if (o.has(3)) {
    t.image_residual = o.in[3].data;
    t.image_residual_stride = o.in[3].row_stride;
  }
  if (options.x_moments) {
    t.x_moments = options.x_moments, t.x_parts = moment_parts(p.x.c), t.inverse_inner = 1 / float(p.x.c);
    t.weight_rows = static_cast<const float*>(o.in[4].data), t.eps = o.node.as<LinearAttr>().normalise;
  }
  t.weight_stride = 1;
  if (is_quantized(x.dtype)) {
    t.x_scales = x.scales(), t.weight_rows = w.scales();
    if (o.node.op == Op::conv2d) t.image_scales = p.x.tokens(), t.weight_stride = int(taps);
  }
  if (is_quantized(y.dtype)) t.y_scale = o.in[5].row<float>(0), t.y_scales = y.scales();
  if (options.y_moments) t.y_moments = options.y_moments, t.y_parts = moment_parts(p.y.c);
  t.y_columns = options.y_columns;
  t.taps = int(taps), t.taps_w = p.taps_w, t.stride = p.stride, t.pad = p.pad;
  t.chunks = chunks_of(p, x.dtype);
  t.box_w = box_w, t.box_h = box_h;
  t.boxes_w = int((p.y.w + box_w - 1) / box_w), t.boxes_h = int((p.y.h + box_h - 1) / box_h);
  t.images = int(p.y.n), t.columns = int(p.y.c), t.line = int(p.y.w), t.lines = int(p.y.h);
  int processors = context.device->info().multiprocessors;

  if (variant.most_split > 1) {
    t.split = split_of(variant, tiles_of(t, variant), steps_of(p, x.dtype), processors);
    if (t.split < 2) return {};
  }
  t.w = tensor_map({w.data, w.dtype, {p.x.c, taps, rows}, {p.x.c, taps * p.x.c}, {channels, 1, variant.columns}});
  return {[=, s = context.stream(), factor = x.dtype, result = y.dtype](void*) { launch_tile_product(s, t, factor, result, v, processors); }};
}

void add_tile_ways(std::vector<Way>& ways, const Operands& o, const Context& context, BindOptions options) {
  constexpr double kNear = 1.1;  // on an H200 none of 79 choices by measurement was further from the least than 1.02
  std::vector<double> costs;
  for (const TileVariant& v : kTileVariants) costs.push_back(outputs_in_a_row(o, v, context.device->info().multiprocessors));
  const double least = std::ranges::min(costs);
  for (int v = 0; v < kTileVariantCount; ++v)
    if (costs[size_t(v)] <= kNear * least) ways.push_back([&context, v, options](const Operands& at) { return bind_tile_product(at, context, options, v); });
}

}  // namespace hayate::cuda
