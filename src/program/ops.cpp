// Names, precision and shape rules of the ops.
#include "program/ops.h"

#include "core/error.h"
#include "program/program.h"

namespace hayate {

namespace {
struct OpRow { const char* name; Precision precision; };
constexpr OpRow kOps[] = {
#define X(name, precision) {#name, Precision::precision},
    HAYATE_OPS(X)
#undef X
};

// Shape rules. `in(k)` is the shape of input k; `bad` throws with the value's name.
class ShapeRule {
 public:
  ShapeRule(const Program& p, const Node& n) : p_(p), n_(n) {}

  Shape result() const {
    switch (n_.op) {
      case Op::input: case Op::weight: expect(positive(n_.shape), "a shape of positive sizes"); return n_.shape;
      case Op::cast: case Op::pack: case Op::silu: case Op::gelu: case Op::quick_gelu: case Op::relu: case Op::affine: case Op::softmax:
        return in(0);
      case Op::stack: return stack();
      case Op::scale_columns: expect_row(1, in(0).c); return in(0);
      case Op::row_dots: expect_row(1, in(0).c), expect_row(2, in(0).w); return {1, 1, 1, in(0).w};
      case Op::row_sums: return {1, 1, 1, in(0).w};
      case Op::fold_nearest: expect(in(0).h == 3 && in(0).w == 3, "a weight of (out, 3, 3, in)"); return {4 * in(0).n, 2, 2, in(0).c};
      case Op::quantize: expect(in(0).c % kQuantizedColumns == 0, "a multiple of 16 columns"); return in(0);
      case Op::bound: return bound();
      case Op::linear: return linear();
      case Op::conv2d: return conv2d();
      case Op::group_norm: return group_norm();
      case Op::group_statistics: return group_statistics();
      case Op::layer_norm: expect_row(1, in(0).c), expect_row(2, in(0).c); return in(0);
      case Op::add: case Op::mul: expect(broadcasts(in(1), in(0)), "a second input that broadcasts to the first"); return in(0);
      case Op::concat: return concat();
      case Op::slice: return slice();
      case Op::repeat: { Shape s = in(0); s.n *= n_.as<RepeatAttr>().times; return s; }
      case Op::upsample_nearest:
        expect(n_.shape.h >= in(0).h && n_.shape.w >= in(0).w, "a size not smaller than the input");
        return {in(0).n, n_.shape.h, n_.shape.w, in(0).c};
      case Op::pad: return pad();
      case Op::embedding: { Shape s = in(0); expect(s.c == 1, "one id per token"); s.c = in(1).c; return s; }
      case Op::take_token: expect(in(1) == Shape{in(0).n, 1, 1, 1}, "one index per image"); return {in(0).n, 1, 1, in(0).c};
      case Op::timestep_embedding: { Shape s = in(0); s.c *= n_.as<TimestepAttr>().dim; return s; }
      case Op::attention_scores: return scores();
      case Op::attention_mix: return mix();
      case Op::attention: expect_scale(3), expect_heads(in(0), in(1)); expect(same_tokens(in(1), in(2)), "as many values as keys");
        return {in(0).n, in(0).h, in(0).w, in(2).c};
      case Op::geglu: { Shape s = in(0); expect(s.c % 2 == 0, "an even number of columns"); s.c /= 2; return s; }
      case Op::guidance: return guidance();
      case Op::mimic:
        expect(in(1) == in(0) && in(2) == in(0) && in(3) == Shape{in(0).n, 1, 1, 2}, "predictions and x of one shape, two factors per image");
        return in(0);
      case Op::scheduler_row: return scheduler_row();
    }
    bad("a known op");
  }

 private:
  Shape in(size_t k) const { return p_[n_.in.at(k)].shape; }
  bool has(size_t k) const { return n_.in.size() > k && n_.in[k] != none; }
  [[noreturn]] void bad(const std::string& expected) const {
    std::string got;
    for (Value v : n_.in) got += (got.empty() ? "" : ", ") + (v == none ? "none" : to_string(p_[v].shape));
    fail(ErrorKind::bad_model, "{} {}: inputs are {}; expected {}", name_of(n_.op), n_.name, got.empty() ? to_string(n_.shape) : got, expected);
  }
  void expect(bool ok, const char* what) const { if (!ok) bad(what); }
  void expect_row(size_t k, int64_t c) const {
    if (has(k) && in(k) != Shape{1, 1, 1, c}) bad(fmt::format("input {} of {} elements", k, c));
  }
  static bool positive(const Shape& s) { return s.n > 0 && s.h > 0 && s.w > 0 && s.c > 0; }
  static bool same_tokens(const Shape& a, const Shape& b) { return a.n == b.n && a.tokens() == b.tokens(); }
  static bool broadcasts(const Shape& b, const Shape& a) {
    auto fits = [](int64_t y, int64_t x) { return y == x || y == 1; };
    return fits(b.n, a.n) && fits(b.h, a.h) && fits(b.w, a.w) && fits(b.c, a.c);
  }
  void expect_scale(size_t k) const {
    if (is_quantized(n_.dtype)) expect(has(k) && in(k) == Shape{1, 1, 1, 1} && in(0).c % kQuantizedColumns == 0, "a scale for the result");
  }
  Shape bound() const {
    const auto& a = n_.as<BoundAttr>();
    const bool rows = a.of != BoundAttr::Of::elements;
    expect(a.begin >= 0 && a.count >= 0 && a.begin + a.count <= in(0).rows() && (!rows || !has(1) || in(1).c == in(0).rows()), "rows within x, and as many in b");
    return {1, 1, 1, 1};
  }
  void expect_epilogue(const Shape& s) const {
    expect_row(2, s.c);
    expect(!has(3) || (in(3).c == s.c && broadcasts(in(3), s)), "a residual of the result's shape, or one row per image");
  }

  Shape stack() const {
    Shape s = in(0);
    bool rank1 = s.w == 1 && s.h == 1 && s.n == 1;
    for (size_t k = 1; k < n_.in.size(); ++k) {
      Shape t = in(k);
      expect(t.n == 1 && t.h == 1 && (rank1 ? t.w == 1 : t.c == s.c), "matrices of equal width, or vectors");
      (rank1 ? s.c : s.w) += rank1 ? t.c : t.w;
    }
    return s;
  }
  Shape linear() const {
    Shape s = in(0), w = in(1);
    expect(w.n == 1 && w.h == 1 && w.c == s.c, "a weight of (out, columns of x)");
    s.c = w.w;
    bool gated = n_.as<LinearAttr>().activation == Activation::geglu;
    expect(!gated || (s.c % 2 == 0 && !has(3)), "an even number of outputs to gate, and no residual");
    expect_epilogue(s), expect_row(4, s.c), expect_scale(5);
    if (gated) s.c /= 2;
    return s;
  }
  Shape conv2d() const {
    Shape x = in(0), w = in(1);
    const auto& a = n_.as<ConvAttr>();
    expect(w.c == x.c && a.stride > 0, "a weight of (out, kh, kw, channels of x)");
    Shape s{x.n, (x.h + a.pad_begin + a.pad_end - w.h) / a.stride + 1, (x.w + a.pad_begin + a.pad_end - w.w) / a.stride + 1, w.n};
    expect(positive(s), "an image not smaller than the kernel");
    if (a.upsample != 1) {
      bool folded = a.upsample == 2 && w.n % 4 == 0 && w.h == 2 && w.w == 2 && a.stride == 1 && a.pad_begin == 1 && a.pad_end == 1;
      expect(folded, "a weight of (4 out, 2, 2, channels of x), padded by 1");
      s = {x.n, 2 * x.h, 2 * x.w, w.n / 4};
    }
    expect_epilogue(s);
    return s;
  }
  Shape group_norm() const {
    const auto& a = n_.as<NormAttr>();
    expect(a.groups > 0 && in(0).c % a.groups == 0, "channels divisible by groups");
    expect_row(1, in(0).c), expect_row(2, in(0).c);
    expect(!has(3) || in(3) == Shape{in(0).n, 1, a.groups, 2}, "statistics of (n, 1, groups, 2)");
    expect_scale(4);
    return in(0);
  }
  Shape group_statistics() const {
    const auto& a = n_.as<NormAttr>();
    expect(a.groups > 0 && in(0).c % a.groups == 0, "channels divisible by groups");
    expect_row(1, 4);
    return {in(0).n, 1, a.groups, 2};
  }
  Shape concat() const {
    Shape s = in(0), t = in(1);
    expect(s.n == t.n && s.h == t.h && s.w == t.w, "equal sizes but for columns");
    s.c += t.c;
    return s;
  }
  Shape slice() const {
    Shape s = in(0);
    int64_t begin = n_.as<SliceAttr>().begin;
    expect(begin >= 0 && n_.shape.c > 0 && begin + n_.shape.c <= s.c, "columns within the input");
    s.c = n_.shape.c;
    return s;
  }
  Shape pad() const {
    Shape s = in(0);
    const auto& a = n_.as<PadAttr>();
    expect(a.size >= 0 && (!a.wrap_x || a.size <= s.w) && (!a.wrap_y || a.size <= s.h), "an image not smaller than what is taken from its edges");
    s.h += 2 * a.size, s.w += 2 * a.size;
    return s;
  }
  void expect_heads(const Shape& q, const Shape& k) const {
    int heads = n_.as<AttentionAttr>().heads;
    expect(heads > 0 && q.c % heads == 0 && q.n == k.n && q.c == k.c, "queries and keys of equal width, divisible by heads");
  }
  Shape scores() const {
    expect_heads(in(0), in(1));
    return {in(0).n, n_.as<AttentionAttr>().heads, in(0).tokens(), in(1).tokens()};
  }
  Shape mix() const {
    Shape w = in(0), v = in(1);
    expect(w.n == v.n && w.c == v.tokens() && v.c % w.h == 0, "weights over all tokens of v");
    return {v.n, n_.shape.h, n_.shape.w, v.c};
  }
  Shape guidance() const {
    Shape s = in(0);
    expect(s.n % 2 == 0, "an unconditional and a conditional half");
    s.n /= 2;
    for (size_t k : {1, 2}) expect(in(k) == Shape{s.n, 1, 1, 1}, "one scale per image");
    return s;
  }
  // matrix: (n, 1, 1, (1 + k) * (3 + k)) for state (x, saved[0..k)); rows are outputs, columns x, prediction, saved.., noise
  Shape scheduler_row() const {
    Shape s = in(0), pred = in(1);
    int64_t parts = s.c / pred.c;
    expect(s.c % pred.c == 0 && s.n == pred.n && s.tokens() == pred.tokens(), "a state of whole latents");
    expect(in(2) == pred, "noise of the prediction's shape");
    expect(in(3) == Shape{s.n, 1, 1, parts * (parts + 2)}, "one matrix per image");
    return s;
  }

  const Program& p_;
  const Node& n_;
};
}  // namespace

const char* name_of(Op op) { return kOps[size_t(op)].name; }
Precision precision_of(Op op) { return kOps[size_t(op)].precision; }
const char* name_of(Activation a) {
  constexpr const char* names[] = {"none", "silu", "gelu", "quick_gelu", "geglu", "relu"};
  return names[size_t(a)];
}

Shape result_shape(const Program& p, const Node& n) { return ShapeRule(p, n).result(); }

namespace {
std::string activation_text(Activation a) { return a == Activation::none ? "" : fmt::format(" activation={}", name_of(a)); }
std::string normalise_text(float eps) { return eps > 0 ? fmt::format(" normalise={}", eps) : ""; }
struct AttributeText {
  std::string operator()(std::monostate) const { return ""; }
  std::string operator()(const LinearAttr& a) const {
    return activation_text(a.activation) + normalise_text(a.normalise);
  }
  std::string operator()(const QuantizeAttr& a) const { return normalise_text(a.normalise) + (a.whole ? " whole" : ""); }
  std::string operator()(const BoundAttr& a) const {
    constexpr const char* names[] = {"elements", "rows", "gated"};
    return fmt::format(" of={} norm={:.9g}{}", names[size_t(a.of)], a.norm, a.count ? fmt::format(" rows={}+{}", a.begin, a.count) : "");
  }
  std::string operator()(const ConvAttr& a) const {
    return fmt::format(" stride={} pad={},{}{}{}", a.stride, a.pad_begin, a.pad_end, activation_text(a.activation),
                       a.upsample == 1 ? "" : fmt::format(" upsample={}", a.upsample));
  }
  std::string operator()(const NormAttr& a) const {
    return (a.groups ? fmt::format(" groups={}", a.groups) : "") + fmt::format(" eps={:g}", a.eps) + activation_text(a.activation);
  }
  std::string operator()(const AttentionAttr& a) const {
    return fmt::format(" heads={} scale={:.9g}{}", a.heads, a.scale, a.causal ? " causal" : "");
  }
  std::string operator()(const AffineAttr& a) const { return fmt::format(" scale={:.9g} shift={:.9g}", a.scale, a.shift); }
  std::string operator()(const SliceAttr& a) const { return fmt::format(" begin={}", a.begin); }
  std::string operator()(const PadAttr& a) const { return fmt::format(" size={}{}{}", a.size, a.wrap_x ? " wrap_x" : "", a.wrap_y ? " wrap_y" : ""); }
  std::string operator()(const RepeatAttr& a) const { return fmt::format(" times={}", a.times); }
  std::string operator()(const TimestepAttr& a) const {
    return fmt::format(" dim={} flip_sin_to_cos={} freq_shift={:g}", a.dim, a.flip_sin_to_cos, a.freq_shift);
  }
};
}  // namespace

Activation activation_of(const Attributes& attributes) {
  return std::visit([](const auto& a) {
    if constexpr (requires { a.activation; }) return a.activation;
    else return Activation::none;
  }, attributes);
}

std::string to_string(const Attributes& a) { return std::visit(AttributeText{}, a); }

}  // namespace hayate
