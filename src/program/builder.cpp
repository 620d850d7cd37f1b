// Recording ops with names, weights and shapes.
#include "program/builder.h"

namespace hayate {

Value Builder::append(Node n) {
  Value v = p_.add(std::move(n));
  if (recorded_) recorded_(p_, v);
  return v;
}

Value Builder::emit(Op op, const std::string& name, std::vector<Value> in, Attributes attr, Shape shape, Dtype dtype) {
  std::string full = path(name);
  if (int again = seen_[full]++) full += "#" + std::to_string(again);
  return append({.op = op, .in = std::move(in), .shape = shape, .dtype = dtype, .name = std::move(full), .attr = std::move(attr)});
}

Value Builder::input(const std::string& name, Shape shape, Rate rate, Dtype dtype) {
  return append({.op = Op::input, .shape = shape, .dtype = dtype, .rate = rate, .name = name});
}
Value Builder::weight(const std::string& name, Shape shape) {
  return append({.op = Op::weight, .shape = shape, .name = path(name)});
}

Value Builder::linear(const std::string& name, Value x, int64_t out, bool bias) {
  Value w = weight(name + ".weight", {1, 1, out, shape(x).c});
  Value b = bias ? weight(name + ".bias", {1, 1, 1, out}) : none;
  return emit(Op::linear, name, {x, w, b, none}, LinearAttr{});
}

Value Builder::conv2d(const std::string& name, Value x, int64_t out, int kernel, ConvAttr attr, bool bias) {
  // What is padded at one end only torch pads by an op of its own, with zeros.
  if ((wrap_.x || wrap_.y) && attr.pad_begin > 0 && attr.pad_begin == attr.pad_end) {
    x = pad(name + ".padded", x, {.size = attr.pad_begin, .wrap_x = wrap_.x, .wrap_y = wrap_.y});
    attr.pad_begin = attr.pad_end = 0;
  }
  Value w = weight(name + ".weight", {out, kernel, kernel, shape(x).c});
  Value b = bias ? weight(name + ".bias", {1, 1, 1, out}) : none;
  return emit(Op::conv2d, name, {x, w, b, none}, attr);
}
Value Builder::conv2d(const std::string& name, Value x, int64_t out, int kernel, int stride) {
  return conv2d(name, x, out, kernel, ConvAttr{.stride = stride, .pad_begin = kernel / 2, .pad_end = kernel / 2});
}

Value Builder::group_norm(const std::string& name, Value x, int groups, float eps) {
  Shape row{1, 1, 1, shape(x).c};
  Value gamma = weight(name + ".weight", row), beta = weight(name + ".bias", row);
  return emit(Op::group_norm, name, {x, gamma, beta}, NormAttr{.groups = groups, .eps = eps});
}
Value Builder::group_statistics(const std::string& name, Value x, int groups, Value region) {
  return emit(Op::group_statistics, name, {x, region}, NormAttr{.groups = groups});
}
Value Builder::layer_norm(const std::string& name, Value x, float eps) {
  Shape row{1, 1, 1, shape(x).c};
  Value gamma = weight(name + ".weight", row), beta = weight(name + ".bias", row);
  return emit(Op::layer_norm, name, {x, gamma, beta}, NormAttr{.eps = eps});
}

Value Builder::activation(const std::string& name, Value x, Activation a) {
  switch (a) {
    case Activation::none: return x;
    case Activation::silu: return emit(Op::silu, name, {x});
    case Activation::gelu: return emit(Op::gelu, name, {x});
    case Activation::quick_gelu: return emit(Op::quick_gelu, name, {x});
    case Activation::relu: return emit(Op::relu, name, {x});
    case Activation::geglu: break;  // halves the columns: recorded as slices and a product
  }
  return none;
}

Value Builder::attention(Value q, Value k, Value v, int heads, float scale, bool causal) {
  AttentionAttr attr{.heads = heads, .scale = scale, .causal = causal};
  Value scores = emit(Op::attention_scores, "scores", {q, k}, attr);
  Value weights = emit(Op::softmax, "softmax", {scores});
  return emit(Op::attention_mix, "mix", {weights, v}, {}, shape(q));
}

Value Builder::add(const std::string& name, Value a, Value b) { return emit(Op::add, name, {a, b}); }
Value Builder::mul(const std::string& name, Value a, Value b) { return emit(Op::mul, name, {a, b}); }
Value Builder::affine(const std::string& name, Value x, float scale, float shift) {
  return emit(Op::affine, name, {x}, AffineAttr{.scale = scale, .shift = shift});
}
Value Builder::concat(const std::string& name, Value a, Value b) { return emit(Op::concat, name, {a, b}); }
Value Builder::slice(const std::string& name, Value x, int64_t begin, int64_t width) {
  return emit(Op::slice, name, {x}, SliceAttr{begin}, {.c = width}, p_[x].dtype);
}
Value Builder::repeat(const std::string& name, Value x, int times) { return emit(Op::repeat, name, {x}, RepeatAttr{times}); }
Value Builder::upsample_nearest(const std::string& name, Value x, int64_t h, int64_t w) {
  return emit(Op::upsample_nearest, name, {x}, {}, {.h = h, .w = w});
}
Value Builder::pad(const std::string& name, Value x, PadAttr attr) { return emit(Op::pad, name, {x}, attr); }
Value Builder::embedding(const std::string& name, Value ids, int64_t rows, int64_t width) {
  Value table = weight(name + ".weight", {1, 1, rows, width});
  return emit(Op::embedding, name, {ids, table});
}
Value Builder::take_token(const std::string& name, Value x, Value index) { return emit(Op::take_token, name, {x, index}); }
Value Builder::timestep_embedding(const std::string& name, Value t, TimestepAttr attr) {
  return emit(Op::timestep_embedding, name, {t}, attr);
}
Value Builder::guidance(const std::string& name, Value prediction, Value scale, Value rescale) {
  return emit(Op::guidance, name, {prediction, scale, rescale});
}
Value Builder::mimic(const std::string& name, Value prediction, Value other, Value x, Value clean) {
  return emit(Op::mimic, name, {prediction, other, x, clean});
}
Value Builder::scheduler_row(const std::string& name, Value state, Value prediction, Value noise, Value matrix) {
  return emit(Op::scheduler_row, name, {state, prediction, noise, matrix});
}

}  // namespace hayate
