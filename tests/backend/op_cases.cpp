// Odd sizes, small versions of SDXL's shapes, column slices as inputs.
#include "op_cases.h"

#include <random>

namespace hayate {

namespace {
// Appends the ops of one case.
class Recorder {
 public:
  explicit Recorder(Dtype t) : type_(t) {}

  Value input(const std::string& name, Shape s) { return input(name, s, type_); }
  Value input(const std::string& name, Shape s, Dtype t) {
    return program_.add({.op = Op::input, .shape = s, .dtype = t, .rate = Rate::step, .name = name});
  }
  // A slice of `width` columns out of a value with `before` columns to its left and three to its right.
  Value view(const std::string& name, Shape s, int64_t before) {
    Shape wide = s;
    wide.c += before + 3;
    Value whole = input(name, wide);
    return slice(name + ".slice", whole, before, s.c);
  }
  Value slice(const std::string& name, Value x, int64_t begin, int64_t width) {
    return program_.add({.op = Op::slice, .in = {x}, .shape = {.c = width}, .dtype = type_, .name = name, .attr = SliceAttr{begin}});
  }
  Value weight(const std::string& name, Shape s) { return weight(name, s, type_); }
  Value weight(const std::string& name, Shape s, Dtype t) { return program_.add({.op = Op::weight, .shape = s, .dtype = t, .name = name}); }
  Value row(const std::string& name, int64_t c) { return weight(name, {1, 1, 1, c}, Dtype::f32); }  // bias, gamma, beta
  Value op(const std::string& name, Op op, std::vector<Value> in, Attributes attr = {}, Shape shape = {}) {
    return program_.add({.op = op, .in = std::move(in), .shape = shape, .dtype = type_, .name = name, .attr = std::move(attr)});
  }
  Program result(Op op, std::vector<Value> in, Attributes attr = {}, Shape shape = {}) {
    program_.outputs = {this->op("y", op, std::move(in), std::move(attr), shape)};
    return std::move(program_);
  }

 private:
  Program program_;
  Dtype type_;
};

class Table {
 public:
  std::vector<OpCase> cases;
  using Record = std::function<Program(Recorder&)>;

  void add(Op op, const std::string& what, Record record, std::map<std::string, Fill> fills = {}) {
    auto program = [record = std::move(record)](Dtype t) {
      Recorder r(t);
      return record(r);
    };
    cases.push_back({std::string(name_of(op)) + " " + what, op, std::move(program), std::move(fills)});
  }
};

Fill scaled(int64_t fan_in) { return {.deviation = 1 / std::sqrt(float(fan_in))}; }
const Fill kGain{.mean = 1, .deviation = 0.2f};
std::string text(const Shape& s) { return fmt::format("{}x{}x{}x{}", s.n, s.h, s.w, s.c); }

enum class Residual { none, full, row };
constexpr const char* kResidualText[] = {"", " residual", " row"};
Value residual(Recorder& r, Residual kind, Shape s) {
  if (kind == Residual::none) return none;
  if (kind == Residual::row) s.h = s.w = 1;
  return r.input("residual", s);
}

void add_linears(Table& t) {
  auto add = [&](Shape x, int64_t out, Activation a, bool bias, Residual kind, bool sliced = false) {
    std::string what = fmt::format("{} to {} {}{}{}{}", text(x), out, name_of(a), bias ? " bias" : "", kResidualText[int(kind)], sliced ? " sliced" : "");
    auto record = [=](Recorder& r) {
      Value from = sliced ? r.view("x", x, 5) : r.input("x", x), w = r.weight("w", {1, 1, out, x.c});
      return r.result(Op::linear, {from, w, bias ? r.row("b", out) : none, residual(r, kind, {x.n, x.h, x.w, out})}, LinearAttr{a});
    };
    t.add(Op::linear, what, record, {{"w", scaled(x.c)}});
  };
  add({1, 1, 1, 7}, 5, Activation::none, true, Residual::none);
  add({3, 1, 11, 17}, 35, Activation::none, false, Residual::full);
  add({2, 1, 1, 320}, 1280, Activation::silu, true, Residual::none);
  add({2, 1, 77, 96}, 384, Activation::gelu, true, Residual::none);
  add({2, 1, 77, 96}, 384, Activation::quick_gelu, true, Residual::none);
  add({2, 8, 8, 320}, 320, Activation::none, true, Residual::full);
  add({2, 8, 8, 320}, 64, Activation::gelu, true, Residual::full);
  add({2, 4, 4, 64}, 96, Activation::silu, true, Residual::row);
  add({2, 1, 77, 2048}, 640, Activation::none, false, Residual::none);
  add({2, 6, 6, 64}, 64, Activation::none, true, Residual::full, true);
  add({1, 5, 3, 31}, 33, Activation::silu, true, Residual::none, true);
  t.add(Op::stack, "of three weights", [](Recorder& r) {
    Value w = r.op("w", Op::stack, {r.weight("q", {1, 1, 32, 48}), r.weight("k", {1, 1, 16, 48}), r.weight("v", {1, 1, 7, 48})});
    Value b = r.op("b", Op::stack, {r.weight("q.bias", {1, 1, 1, 32}), r.weight("k.bias", {1, 1, 1, 16}), r.weight("v.bias", {1, 1, 1, 7})});
    return r.result(Op::add, {r.op("linear", Op::linear, {r.input("x", {2, 3, 3, 48}), w, none, none}, LinearAttr{}), b});
  });
}

void add_convolutions(Table& t) {
  auto add = [&](Shape x, int64_t out, int k, ConvAttr a, Residual kind, bool sliced = false) {
    std::string what = fmt::format("{} to {} kernel {} stride {} pad {},{} {}{}{}", text(x), out, k, a.stride, a.pad_begin, a.pad_end,
                                   name_of(a.activation), kResidualText[int(kind)], sliced ? " sliced" : "");
    auto record = [=](Recorder& r) {
      Value from = sliced ? r.view("x", x, 5) : r.input("x", x), w = r.weight("w", {out, k, k, x.c});
      auto size = [&](int64_t s) { return (s + a.pad_begin + a.pad_end - k) / a.stride + 1; };
      return r.result(Op::conv2d, {from, w, r.row("b", out), residual(r, kind, {x.n, size(x.h), size(x.w), out})}, a);
    };
    t.add(Op::conv2d, what, record, {{"w", scaled(x.c * k * k)}});
  };
  ConvAttr same{.stride = 1, .pad_begin = 1, .pad_end = 1};
  add({2, 9, 7, 5}, 7, 3, same, Residual::none);
  add({2, 16, 16, 4}, 64, 3, same, Residual::none);
  add({2, 16, 16, 64}, 4, 3, same, Residual::none);
  add({1, 12, 12, 3}, 32, 3, same, Residual::none);
  add({2, 8, 8, 64}, 96, 3, same, Residual::full);
  add({2, 8, 8, 64}, 96, 3, same, Residual::row);
  add({1, 9, 9, 17}, 35, 3, {1, 1, 1, Activation::silu}, Residual::full);
  add({2, 16, 16, 32}, 32, 3, {.stride = 2, .pad_begin = 1, .pad_end = 1}, Residual::none);
  add({1, 16, 14, 32}, 32, 3, {.stride = 2, .pad_begin = 0, .pad_end = 1}, Residual::none);
  add({2, 8, 8, 96}, 32, 1, {}, Residual::full);
  add({1, 8, 8, 8}, 8, 1, {}, Residual::none);
  add({1, 8, 8, 4}, 4, 1, {}, Residual::none, true);
  add({2, 6, 6, 32}, 16, 3, same, Residual::none, true);
}

void add_norms(Table& t) {
  auto group = [&](Shape x, int groups, Activation a, Fill fill = {}, bool sliced = false) {
    std::string what = fmt::format("{} in {} {}{}{}", text(x), groups, name_of(a), fill.mean != 0 ? " far from zero" : "", sliced ? " sliced" : "");
    auto record = [=](Recorder& r) {
      Value from = sliced ? r.view("x", x, 5) : r.input("x", x);
      return r.result(Op::group_norm, {from, r.row("gamma", x.c), r.row("beta", x.c)}, NormAttr{groups, 1e-5f, a});
    };
    t.add(Op::group_norm, what, record, {{"x", fill}, {"gamma", kGain}});
  };
  group({2, 8, 8, 320}, 32, Activation::silu);
  group({2, 8, 8, 320}, 32, Activation::none);
  group({1, 32, 32, 128}, 32, Activation::silu);
  group({2, 5, 7, 60}, 6, Activation::none);
  group({2, 3, 5, 30}, 3, Activation::silu);
  group({1, 9, 9, 7}, 7, Activation::none);
  group({2, 1, 1, 64}, 4, Activation::none);
  group({3, 16, 16, 64}, 32, Activation::none, {.mean = 30});
  group({1, 6, 6, 40}, 8, Activation::silu, {.deviation = 0.01f});
  group({2, 6, 6, 40}, 8, Activation::silu, {}, true);

  auto layer = [&](Shape x, Fill fill = {}, bool sliced = false) {
    std::string what = text(x) + (fill.mean != 0 ? " far from zero" : "") + (sliced ? " sliced" : "");
    auto record = [=](Recorder& r) {
      Value from = sliced ? r.view("x", x, 5) : r.input("x", x);
      return r.result(Op::layer_norm, {from, r.row("gamma", x.c), r.row("beta", x.c)}, NormAttr{.eps = 1e-5f});
    };
    t.add(Op::layer_norm, what, record, {{"x", fill}, {"gamma", kGain}});
  };
  layer({2, 1, 77, 768});
  layer({2, 8, 8, 640});
  layer({1, 1, 3, 37});
  layer({2, 4, 4, 64}, {.mean = 30});
  layer({1, 3, 5, 48}, {}, true);
}

void add_elementwise(Table& t) {
  for (Op op : {Op::silu, Op::gelu, Op::quick_gelu}) {
    t.add(op, "2x5x7x13", [=](Recorder& r) { return r.result(op, {r.input("x", {2, 5, 7, 13})}); }, {{"x", {.deviation = 3}}});
    t.add(op, "large numbers", [=](Recorder& r) { return r.result(op, {r.input("x", {1, 4, 4, 33})}); }, {{"x", {.deviation = 60}}});
    t.add(op, "1x3x3x20 sliced", [=](Recorder& r) { return r.result(op, {r.view("x", {1, 3, 3, 20}, 4)}); });
  }
  for (Op op : {Op::add, Op::mul}) {
    Shape a{2, 3, 5, 21};
    for (Shape b : {a, Shape{2, 1, 1, 21}, Shape{1, 1, 1, 21}, Shape{2, 3, 5, 1}, Shape{2, 1, 1, 1}, Shape{1, 1, 5, 21}})
      t.add(op, text(a) + " with " + text(b), [=](Recorder& r) { return r.result(op, {r.input("a", a), r.input("b", b)}); });
    t.add(op, text(a) + " sliced", [=](Recorder& r) { return r.result(op, {r.view("a", a, 2), r.view("b", a, 7)}); });
    t.add(op, "2x32x32x64", [=](Recorder& r) { return r.result(op, {r.input("a", {2, 32, 32, 64}), r.input("b", {2, 32, 32, 64})}); });
  }
  t.add(Op::affine, "2x4x4x9", [](Recorder& r) { return r.result(Op::affine, {r.input("x", {2, 4, 4, 9})}, AffineAttr{0.18215f, -0.5f}); });
  for (Shape s : {Shape{2, 8, 8, 2560}, Shape{1, 3, 5, 14}})
    t.add(Op::geglu, text(s), [=](Recorder& r) { return r.result(Op::geglu, {r.input("x", s)}); });
  t.add(Op::geglu, "1x4x4x24 sliced", [](Recorder& r) { return r.result(Op::geglu, {r.view("x", {1, 4, 4, 24}, 3)}); });
  t.add(Op::cast, "from float32", [](Recorder& r) { return r.result(Op::cast, {r.input("x", {2, 5, 7, 13}, Dtype::f32)}); });
  t.add(Op::cast, "from bfloat16", [](Recorder& r) { return r.result(Op::cast, {r.input("x", {2, 5, 7, 13}, Dtype::bf16)}); });
}

void add_copies(Table& t) {
  auto concat = [&](int64_t left, int64_t right) {
    t.add(Op::concat, fmt::format("{} and {}", left, right),
          [=](Recorder& r) { return r.result(Op::concat, {r.input("a", {2, 4, 4, left}), r.input("b", {2, 4, 4, right})}); });
  };
  concat(320, 640), concat(5, 7);
  t.add(Op::concat, "sliced", [](Recorder& r) { return r.result(Op::concat, {r.view("a", {2, 3, 3, 9}, 1), r.view("b", {2, 3, 3, 5}, 2)}); });
  t.add(Op::repeat, "twice", [](Recorder& r) { return r.result(Op::repeat, {r.input("x", {2, 3, 5, 4})}, RepeatAttr{2}); });
  auto upsample = [&](Shape x, int64_t h, int64_t w) {
    t.add(Op::upsample_nearest, fmt::format("{} to {}x{}", text(x), h, w),
          [=](Recorder& r) { return r.result(Op::upsample_nearest, {r.input("x", x)}, {}, {.h = h, .w = w}); });
  };
  upsample({2, 8, 8, 32}, 16, 16), upsample({1, 3, 5, 7}, 7, 8);
  t.add(Op::embedding, "of 49 rows", [](Recorder& r) {
    return r.result(Op::embedding, {r.input("ids", {2, 1, 77, 1}, Dtype::i32), r.weight("table", {1, 1, 49, 37})});
  }, {{"ids", {.below = 49}}});
  t.add(Op::take_token, "of 77", [](Recorder& r) {
    return r.result(Op::take_token, {r.input("x", {3, 1, 77, 24}), r.input("index", {3, 1, 1, 1}, Dtype::i32)});
  }, {{"index", {.below = 77}}});
}

struct AttentionCase {
  const char* what;
  Shape q, k;
  int heads;
  bool causal = false, stacked = false;  // stacked: q, k and v are columns of one value
  float scale = 0;                       // 0: the usual one
};
void add_attention(Table& t) {
  for (AttentionCase c : std::initializer_list<AttentionCase>{
           {"self 64", {2, 8, 8, 320}, {2, 8, 8, 320}, 5},
           {"self 40, blocks of keys", {1, 13, 17, 80}, {1, 13, 17, 80}, 2},
           {"stacked projections", {2, 7, 9, 128}, {2, 7, 9, 128}, 2, false, true},
           {"77 text tokens", {2, 8, 8, 128}, {2, 1, 77, 128}, 2},
           {"causal", {2, 1, 77, 96}, {2, 1, 77, 96}, 3, true},
           {"causal, blocks of queries", {1, 1, 201, 32}, {1, 1, 201, 32}, 2, true},
           {"one wide head", {1, 10, 10, 512}, {1, 10, 10, 512}, 1},
           {"head of 7", {1, 3, 5, 21}, {1, 1, 6, 21}, 3},
           {"one key", {2, 2, 2, 16}, {2, 1, 1, 16}, 2},
           {"peaky", {1, 9, 9, 64}, {1, 9, 9, 64}, 1, false, false, 4},
       }) {
    AttentionAttr attr{c.heads, c.scale != 0 ? c.scale : 1 / std::sqrt(float(c.q.c / c.heads)), c.causal};
    auto inputs = [=](Recorder& r) {
      if (!c.stacked) return std::vector<Value>{r.input("q", c.q), r.input("k", c.k), r.input("v", c.k)};
      Shape all = c.q;
      all.c *= 3;
      Value x = r.input("qkv", all);
      return std::vector<Value>{r.slice("q", x, 0, c.q.c), r.slice("k", x, c.q.c, c.q.c), r.slice("v", x, 2 * c.q.c, c.q.c)};
    };
    t.add(Op::attention, c.what, [=](Recorder& r) { return r.result(Op::attention, inputs(r), attr); });
    t.add(Op::attention_scores, c.what, [=](Recorder& r) {
      std::vector<Value> in = inputs(r);
      return r.result(Op::attention_scores, {in[0], in[1]}, attr);
    });
    t.add(Op::attention_mix, c.what, [=](Recorder& r) {
      Value weights = r.input("weights", {c.q.n, c.heads, c.q.tokens(), c.k.tokens()});
      return r.result(Op::attention_mix, {weights, c.stacked ? r.view("v", c.k, c.k.c) : r.input("v", c.k)}, {}, c.q);
    });
  }
  for (Shape s : {Shape{2, 3, 16, 64}, Shape{1, 2, 5, 77}, Shape{1, 1, 3, 1}})
    t.add(Op::softmax, text(s), [=](Recorder& r) { return r.result(Op::softmax, {r.input("x", s)}); }, {{"x", {.deviation = 5}}});
  t.add(Op::softmax, "after a causal mask", [](Recorder& r) {
    Value scores = r.op("scores", Op::attention_scores, {r.input("q", {1, 1, 19, 32}), r.input("k", {1, 1, 19, 32})}, AttentionAttr{2, 0.1f, true});
    return r.result(Op::softmax, {scores});
  });
}

// Schedules and time embeddings are float32 at every precision.
void add_exact(Table& t) {
  auto timestep = [&](Shape s, TimestepAttr a) {
    std::string what = fmt::format("{} dim {}{} shift {}", text(s), a.dim, a.flip_sin_to_cos ? "" : " sines first", a.freq_shift);
    t.add(Op::timestep_embedding, what, [=](Recorder& r) { return r.result(Op::timestep_embedding, {r.input("t", s)}, a); },
          {{"t", {.mean = 500, .deviation = 200}}});
  };
  timestep({2, 1, 1, 1}, {.dim = 320}), timestep({2, 1, 1, 6}, {.dim = 256}), timestep({3, 1, 1, 1}, {64, false, 1});
  for (float rescale : {0.0f, 0.7f})
    t.add(Op::guidance, fmt::format("rescale {}", rescale), [](Recorder& r) {
      return r.result(Op::guidance, {r.input("x", {4, 8, 8, 4}), r.input("scale", {2, 1, 1, 1}), r.input("rescale", {2, 1, 1, 1})});
    }, {{"scale", {.mean = 5, .deviation = 1}}, {"rescale", {.mean = rescale, .deviation = 0}}});
  for (int64_t parts : {1, 2, 5})
    t.add(Op::scheduler_row, fmt::format("{} saved", parts - 1), [=](Recorder& r) {
      return r.result(Op::scheduler_row, {r.input("state", {2, 8, 8, 4 * parts}), r.input("prediction", {2, 8, 8, 4}), r.input("noise", {2, 8, 8, 4}),
                                          r.input("matrix", {2, 1, 1, parts * (parts + 2)})});
    });
}
}  // namespace

std::vector<OpCase> op_cases() {
  Table t;
  add_linears(t), add_convolutions(t), add_norms(t), add_elementwise(t), add_copies(t), add_attention(t), add_exact(t);
  return std::move(t.cases);
}

std::vector<float> fill_values(const std::string& name, int64_t count, const Fill& fill) {
  std::seed_seq seed(name.begin(), name.end());
  std::mt19937 random(seed);
  std::vector<float> values(static_cast<size_t>(count));
  std::normal_distribution<float> normal(fill.mean, fill.deviation == 0 ? 1 : fill.deviation);
  for (float& x : values) x = fill.below ? float(random() % uint64_t(fill.below)) : fill.deviation == 0 ? fill.mean : normal(random);
  return values;
}

}  // namespace hayate
