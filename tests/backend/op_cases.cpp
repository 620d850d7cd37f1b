// Odd sizes, small versions of SDXL's shapes, column slices as inputs.
#include "backend/op_cases.h"

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
  Value input_or_view(const std::string& name, Shape s, bool sliced) { return sliced ? view(name, s, 5) : input(name, s); }
  Value slice(const std::string& name, Value x, int64_t begin, int64_t width) {
    return program_.add({.op = Op::slice, .in = {x}, .shape = {.c = width}, .dtype = type_, .name = name, .attr = SliceAttr{begin}});
  }
  Value weight(const std::string& name, Shape s) { return weight(name, s, type_); }
  Value weight(const std::string& name, Shape s, Dtype t) { return program_.add({.op = Op::weight, .shape = s, .dtype = t, .name = name}); }
  Value narrow(const std::string& name, Op op, std::vector<Value> in, Attributes attr) { return add(name, op, std::move(in), std::move(attr), {}, Dtype::f8); }
  Value quantize(Value x, Dtype q, float normalise, bool whole = false) {
    return program_.add({.op = Op::quantize, .in = {x}, .dtype = q, .name = program_[x].name + ".quantized", .attr = QuantizeAttr{normalise, whole}});
  }
  Value row(const std::string& name, int64_t c) { return weight(name, {1, 1, 1, c}, Dtype::f32); }  // bias, gamma, beta
  Value op(const std::string& name, Op op, std::vector<Value> in, Attributes attr = {}, Shape shape = {}) {
    return add(name, op, std::move(in), std::move(attr), shape, type_);
  }
  Program result(Op op, std::vector<Value> in, Attributes attr = {}, Shape shape = {}) { return result(op, std::move(in), std::move(attr), shape, type_); }
  Program result(Op op, std::vector<Value> in, Attributes attr, Shape shape, Dtype t) {
    program_.outputs = {add("y", op, std::move(in), std::move(attr), shape, t)};
    return std::move(program_);
  }

 private:
  Value add(const std::string& name, Op op, std::vector<Value> in, Attributes attr, Shape shape, Dtype t) {
    return program_.add({.op = op, .in = std::move(in), .shape = shape, .dtype = t, .name = name, .attr = std::move(attr)});
  }

  Program program_;
  Dtype type_;
};

constexpr ConvAttr kUpsample{.stride = 1, .pad_begin = 1, .pad_end = 1, .upsample = 2};
enum class Residual { none, full, row };
constexpr const char* kResidualText[] = {"", " residual", " row"};

struct AttentionCase {
  std::string what;
  Shape q, k;
  int heads;
  bool causal = false, stacked = false;  // stacked: q, k and v are columns of one value
  float scale = 0;                       // 0: the usual one
  AttentionAttr attr() const { return {heads, scale != 0 ? scale : 1 / std::sqrt(float(q.c / heads)), causal}; }
};

class Table {
 public:
  std::vector<OpCase> cases;
  using Record = std::function<Program(Recorder&)>;

  // One kind of case each; `sliced` reads x as columns of a wider value.
  void linear(Shape x, int64_t out, Activation, bool bias, Residual, bool sliced = false, float normalise = 0);
  void quantized_linear(Dtype, Shape x, int64_t out, Activation, Residual, bool sliced = false, float normalise = 0);
  void quantized_conv2d(Dtype, Shape x, int64_t out, Residual);
  void conv2d(Shape x, int64_t out, int kernel, ConvAttr, Residual, bool sliced = false);
  void group_norm(Shape x, int groups, Activation, Fill = {}, bool sliced = false);
  void given_group_norm(Shape x, int groups, Activation, bool sliced = false);  // with statistics that are not those of x
  void group_statistics(Shape x, int groups, std::vector<int64_t> region, Fill = {}, bool sliced = false);  // no region: all of x
  void layer_norm(Shape x, Fill = {}, bool sliced = false);
  void attention(const AttentionCase&);
  void unary(Op, Shape x, Fill = {}, bool sliced = false);

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

Value residual(Recorder& r, Residual kind, Shape s) {
  if (kind == Residual::none) return none;
  if (kind == Residual::row) s.h = s.w = 1;
  return r.input("residual", s);
}

void Table::linear(Shape x, int64_t out, Activation a, bool bias, Residual kind, bool sliced, float normalise) {
  std::string what = fmt::format("{} to {} {}{}{}{}{}", text(x), out, name_of(a), bias ? " bias" : "", kResidualText[int(kind)],
                                 sliced ? " sliced" : "", normalise > 0 ? " normalised" : "");
  auto record = [=](Recorder& r) {
    int64_t rows = a == Activation::geglu ? 2 * out : out;
    Value from = r.input_or_view("x", x, sliced), w = r.weight("w", {1, 1, rows, x.c});
    return r.result(Op::linear, {from, w, bias ? r.row("b", rows) : none, residual(r, kind, {x.n, x.h, x.w, out})}, LinearAttr{a, normalise});
  };
  Fill from{};
  if (normalise > 0) from = {.mean = 3, .deviation = 2};  // not normal already
  add(Op::linear, what, record, {{"x", from}, {"w", scaled(x.c)}});
}

void Table::quantized_linear(Dtype q, Shape x, int64_t out, Activation a, Residual kind, bool sliced, float normalise) {
  std::string what = fmt::format("{} {} to {} {}{}{}{}", name_of(q), text(x), out, name_of(a), kResidualText[int(kind)], sliced ? " sliced" : "",
                                 normalise > 0 ? " normalised" : "");
  auto record = [=](Recorder& r) {
    int64_t rows = a == Activation::geglu ? 2 * out : out;
    Value from = r.quantize(r.input_or_view("x", x, sliced), q, normalise), w = r.quantize(r.weight("w", {1, 1, rows, x.c}), q, 0);
    return r.result(Op::linear, {from, w, r.row("b", rows), residual(r, kind, {x.n, x.h, x.w, out})}, LinearAttr{a});
  };
  add(Op::linear, what, record, {{"x", normalise > 0 ? Fill{.mean = 3, .deviation = 2} : Fill{}}, {"w", scaled(x.c)}});
  cases.back().coarse = true;
}

void Table::conv2d(Shape x, int64_t out, int k, ConvAttr a, Residual kind, bool sliced) {
  std::string what = fmt::format("{} to {} kernel {} stride {} pad {},{} {}{}{}{}", text(x), out, k, a.stride, a.pad_begin, a.pad_end,
                                 name_of(a.activation), kResidualText[int(kind)], sliced ? " sliced" : "", a.upsample > 1 ? " upsample" : "");
  auto record = [=](Recorder& r) {
    Value from = r.input_or_view("x", x, sliced), w = r.weight("w", {out * a.upsample * a.upsample, k, k, x.c});
    auto size = [&](int64_t s) { return (s + a.pad_begin + a.pad_end - k) / a.stride + 1; };
    return r.result(Op::conv2d, {from, w, r.row("b", out), residual(r, kind, {x.n, size(x.h), size(x.w), out})}, a);
  };
  add(Op::conv2d, what, record, {{"w", scaled(x.c * k * k)}});
}

void Table::quantized_conv2d(Dtype q, Shape x, int64_t out, Residual kind) {
  auto record = [=](Recorder& r) {
    Value from = r.quantize(r.input("x", x), q, 0, true), w = r.quantize(r.weight("w", {out, 3, 3, x.c}), q, 0, true);
    return r.result(Op::conv2d, {from, w, r.row("b", out), residual(r, kind, {x.n, x.h, x.w, out})}, ConvAttr{.stride = 1, .pad_begin = 1, .pad_end = 1});
  };
  add(Op::conv2d, fmt::format("{} {} to {}{}", name_of(q), text(x), out, kResidualText[int(kind)]), record, {{"w", scaled(9 * x.c)}});
  cases.back().coarse = true;
}

void Table::group_norm(Shape x, int groups, Activation a, Fill fill, bool sliced) {
  std::string what = fmt::format("{} in {} {}{}{}", text(x), groups, name_of(a), fill.mean != 0 ? " far from zero" : "", sliced ? " sliced" : "");
  auto record = [=](Recorder& r) {
    return r.result(Op::group_norm, {r.input_or_view("x", x, sliced), r.row("gamma", x.c), r.row("beta", x.c)}, NormAttr{groups, 1e-5f, a});
  };
  add(Op::group_norm, what, record, {{"x", fill}, {"gamma", kGain}});
}

void Table::given_group_norm(Shape x, int groups, Activation a, bool sliced) {
  std::string what = fmt::format("{} in {} {} with given statistics{}", text(x), groups, name_of(a), sliced ? " sliced" : "");
  auto record = [=](Recorder& r) {
    Value statistics = r.input("statistics", {x.n, 1, groups, 2}, Dtype::f32);
    return r.result(Op::group_norm, {r.input_or_view("x", x, sliced), r.row("gamma", x.c), r.row("beta", x.c), statistics}, NormAttr{groups, 1e-5f, a});
  };
  add(Op::group_norm, what, record, {{"gamma", kGain}, {"statistics", {.mean = 1, .deviation = 0.2f}}});
}

void Table::group_statistics(Shape x, int groups, std::vector<int64_t> region, Fill fill, bool sliced) {
  std::string what = fmt::format("{} in {} {}{}{}", text(x), groups, region.empty() ? "whole" : fmt::format("region {}", fmt::join(region, ",")),
                                 fill.mean != 0 ? " far from zero" : "", sliced ? " sliced" : "");
  std::map<std::string, Fill> fills{{"x", fill}};
  if (!region.empty()) fills["region"] = {.integers = region};
  auto record = [=](Recorder& r) {
    Value in = region.empty() ? none : r.input("region", {1, 1, 1, 4}, Dtype::i32);
    return r.result(Op::group_statistics, {r.input_or_view("x", x, sliced), in}, NormAttr{.groups = groups}, {}, Dtype::f32);
  };
  add(Op::group_statistics, what, record, std::move(fills));
}

void Table::layer_norm(Shape x, Fill fill, bool sliced) {
  std::string what = text(x) + (fill.mean != 0 ? " far from zero" : "") + (sliced ? " sliced" : "");
  auto record = [=](Recorder& r) {
    return r.result(Op::layer_norm, {r.input_or_view("x", x, sliced), r.row("gamma", x.c), r.row("beta", x.c)}, NormAttr{.eps = 1e-5f});
  };
  add(Op::layer_norm, what, record, {{"x", fill}, {"gamma", kGain}});
}

std::vector<Value> queries_keys_values(Recorder& r, const AttentionCase& c) {
  if (!c.stacked) return {r.input("q", c.q), r.input("k", c.k), r.input("v", c.k)};
  Shape all = c.q;
  all.c *= 3;
  Value x = r.input("qkv", all);
  return {r.slice("q", x, 0, c.q.c), r.slice("k", x, c.q.c, c.q.c), r.slice("v", x, 2 * c.q.c, c.q.c)};
}
void Table::attention(const AttentionCase& c) {
  add(Op::attention, c.what, [=](Recorder& r) { return r.result(Op::attention, queries_keys_values(r, c), c.attr()); });
}

void Table::unary(Op op, Shape x, Fill fill, bool sliced) {
  std::string what = text(x) + (fill.deviation > 10 ? " large" : "") + (sliced ? " sliced" : "");
  add(op, what, [=](Recorder& r) { return r.result(op, {r.input_or_view("x", x, sliced)}); }, {{"x", fill}});
}

// Results in float8 with a scale that is given, and what reads them.
void add_narrow_results(Table& t, int64_t size) {
  auto add = [&](Op op, const std::string& what, float scale, Table::Record record) {
    t.add(op, fmt::format("narrow {} {}", what, size), std::move(record), {{"scale", {.mean = scale, .deviation = 0}}, {"w", scaled(320)}, {"u", scaled(64)}, {"gamma", kGain}});
    t.cases.back().coarse = true;
  };
  const Shape x{2, 4 * size, 3 * size, 64};
  add(Op::linear, "from geglu", 0.02f, [=](Recorder& r) {
    Value from = r.quantize(r.input("x", x), Dtype::f8, 1e-5f), u = r.quantize(r.weight("u", {1, 1, 2 * 320, 64}), Dtype::f8, 0);
    Value gated = r.narrow("gated", Op::linear, {from, u, r.row("c", 640), none, none, r.row("scale", 1)}, LinearAttr{Activation::geglu});
    return r.result(Op::linear, {gated, r.quantize(r.weight("w", {1, 1, 96, 320}), Dtype::f8, 0), r.row("b", 96), none}, LinearAttr{});
  });
  add(Op::linear, "from attention", 0.01f, [=](Recorder& r) {
    Shape wide = x;
    wide.c = 320;
    Value mixed = r.narrow("mixed", Op::attention, {r.input("q", wide), r.input("k", wide), r.input("v", wide), r.row("scale", 1)}, AttentionAttr{5, 0.125f, false});
    return r.result(Op::linear, {mixed, r.quantize(r.weight("w", {1, 1, 96, 320}), Dtype::f8, 0), r.row("b", 96), none}, LinearAttr{});
  });
  for (int kernel : {1, 3})
    add(kernel == 1 ? Op::linear : Op::conv2d, kernel == 1 ? "from group norm" : "convolved", 0.05f, [=](Recorder& r) {
      Shape wide = x;
      wide.c = 320;
      Value norm = r.narrow("norm", Op::group_norm, {r.input("x", wide), r.row("gamma", 320), r.row("beta", 320), none, r.row("scale", 1)}, NormAttr{32, 1e-5f, Activation::silu});
      if (kernel == 1) return r.result(Op::linear, {norm, r.quantize(r.weight("w", {1, 1, 96, 320}), Dtype::f8, 0), r.row("b", 96), none}, LinearAttr{});
      Value w = r.quantize(r.weight("w", {96, 3, 3, 320}), Dtype::f8, 0, true);
      return r.result(Op::conv2d, {norm, w, r.row("b", 96), r.input("residual", {x.n, x.h, x.w, 96})}, ConvAttr{.stride = 1, .pad_begin = 1, .pad_end = 1});
    });
}

void add_bounds(Table& t) {
  auto add = [&](const std::string& what, Shape x, bool b, BoundAttr a, Fill fill = {}) {
    auto record = [=](Recorder& r) { return r.result(Op::bound, {r.input("x", x, Dtype::f32), b ? r.row("b", a.of == BoundAttr::Of::elements ? x.c : x.w) : none}, a, {}, Dtype::f32); };
    t.add(Op::bound, what, record, {{"x", fill}});
  };
  using Of = BoundAttr::Of;
  add("elements", {2, 3, 5, 24}, false, {.of = Of::elements}), add("elements and b", {1, 1, 1, 320}, true, {.of = Of::elements, .norm = 40});
  add("rows", {1, 1, 96, 64}, true, {.of = Of::rows, .norm = 8}), add("some rows", {1, 1, 96, 64}, true, {.of = Of::rows, .norm = 8, .begin = 64, .count = 32});
  add("elements, all of them 0", {2, 3, 5, 24}, false, {.of = Of::elements}, {.mean = 0, .deviation = 0});
  add("gated", {1, 1, 96, 64}, true, {.of = Of::gated, .norm = 8});
  for (Dtype q : {Dtype::i8, Dtype::f8})
    t.add(Op::bound, fmt::format("rows {}", name_of(q)), [=](Recorder& r) {
      return r.result(Op::bound, {r.quantize(r.input("x", {1, 1, 96, 64}), q, 0), none}, BoundAttr{.of = Of::rows, .norm = 8}, {}, Dtype::f32);
    });
}

void add_folded_norms(Table& t) {
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{70, 320}, {33, 31}, {1, 1280}}) {
    const Shape w{1, 1, rows, columns};
    const std::string size = fmt::format("{}x{}", rows, columns);
    t.add(Op::scale_columns, size, [=](Recorder& r) { return r.result(Op::scale_columns, {r.input("w", w), r.row("factors", w.c)}); });
    for (bool b : {true, false})
      t.add(Op::row_dots, size + (b ? " b" : ""), [=](Recorder& r) {
        return r.result(Op::row_dots, {r.input("w", w), r.row("v", w.c), b ? r.row("b", w.w) : none}, {}, {}, Dtype::f32);
      });
  }
}

void add_linears(Table& t) {
  t.linear({1, 1, 1, 7}, 5, Activation::none, true, Residual::none);
  t.linear({3, 1, 11, 17}, 35, Activation::none, false, Residual::full);
  t.linear({2, 1, 1, 320}, 1280, Activation::silu, true, Residual::none);
  t.linear({2, 1, 77, 96}, 384, Activation::gelu, true, Residual::none);
  t.linear({2, 1, 77, 96}, 384, Activation::quick_gelu, true, Residual::none);
  t.linear({2, 8, 8, 320}, 320, Activation::none, true, Residual::full);
  t.linear({2, 8, 8, 320}, 64, Activation::gelu, true, Residual::full);
  t.linear({2, 4, 4, 64}, 96, Activation::silu, true, Residual::row);
  t.linear({2, 1, 77, 2048}, 640, Activation::none, false, Residual::none);
  t.linear({2, 6, 6, 64}, 64, Activation::none, true, Residual::full, true);
  t.linear({1, 5, 3, 31}, 33, Activation::silu, true, Residual::none, true);
  t.linear({2, 8, 8, 64}, 160, Activation::geglu, true, Residual::none);
  t.linear({1, 5, 3, 72}, 40, Activation::geglu, false, Residual::none);
  t.linear({2, 16, 24, 320}, 640, Activation::none, true, Residual::none, false, 1e-5f);
  t.linear({2, 16, 24, 320}, 200, Activation::geglu, true, Residual::none, true, 1e-5f);
  add_narrow_results(t, 1);
  for (Dtype q : {Dtype::i8, Dtype::f8}) {
    t.quantized_linear(q, {2, 8, 8, 320}, 320, Activation::none, Residual::full);
    t.quantized_linear(q, {2, 4, 4, 64}, 96, Activation::none, Residual::row);
    t.quantized_linear(q, {1, 3, 11, 1280}, 40, Activation::none, Residual::none);
    t.quantized_linear(q, {2, 8, 8, 64}, 160, Activation::geglu, Residual::none);
    t.quantized_linear(q, {1, 1, 7, 5120}, 64, Activation::none, Residual::full);
    t.quantized_linear(q, {2, 6, 6, 640}, 48, Activation::none, Residual::none, false, 1e-5f);
    t.quantized_conv2d(q, {2, 7, 5, 64}, 96, Residual::full);
    t.quantized_conv2d(q, {3, 6, 6, 48}, 40, Residual::row);
    t.quantized_conv2d(q, {1, 1, 70, 128}, 24, Residual::none);
    // Every number the largest: no sum on the way may saturate.
    t.quantized_linear(q, {1, 2, 5, 1600}, 24, Activation::none, Residual::none);
    t.cases.back().name += " largest";
    t.cases.back().fills = {{"x", {.mean = 1, .deviation = 0}}, {"w", {.mean = -0.01f, .deviation = 0}}};
  }
  t.quantized_linear(Dtype::i8, {1, 5, 5, 96}, 100, Activation::silu, Residual::full, true);
  t.quantized_linear(Dtype::i8, {3, 1, 9, 48}, 17, Activation::gelu, Residual::none);
  t.add(Op::stack, "of three weights", [](Recorder& r) {
    Value w = r.op("w", Op::stack, {r.weight("q", {1, 1, 32, 48}), r.weight("k", {1, 1, 16, 48}), r.weight("v", {1, 1, 7, 48})});
    Value b = r.op("b", Op::stack, {r.weight("q.bias", {1, 1, 1, 32}), r.weight("k.bias", {1, 1, 1, 16}), r.weight("v.bias", {1, 1, 1, 7})});
    return r.result(Op::add, {r.op("linear", Op::linear, {r.input("x", {2, 3, 3, 48}), w, none, none}, LinearAttr{}), b});
  });
}

void add_convolutions(Table& t) {
  ConvAttr same{.stride = 1, .pad_begin = 1, .pad_end = 1};
  t.conv2d({2, 9, 7, 5}, 7, 3, same, Residual::none);
  t.conv2d({2, 16, 16, 4}, 64, 3, same, Residual::none);
  t.conv2d({2, 16, 16, 64}, 4, 3, same, Residual::none);
  t.conv2d({1, 12, 12, 3}, 32, 3, same, Residual::none);
  t.conv2d({2, 8, 8, 64}, 96, 3, same, Residual::full);
  t.conv2d({2, 8, 8, 64}, 96, 3, same, Residual::row);
  t.conv2d({1, 9, 9, 17}, 35, 3, {1, 1, 1, Activation::silu}, Residual::full);
  t.conv2d({2, 16, 16, 32}, 32, 3, {.stride = 2, .pad_begin = 1, .pad_end = 1}, Residual::none);
  t.conv2d({1, 16, 14, 32}, 32, 3, {.stride = 2, .pad_begin = 0, .pad_end = 1}, Residual::none);
  t.conv2d({2, 8, 8, 96}, 32, 1, {}, Residual::full);
  t.conv2d({1, 8, 8, 8}, 8, 1, {}, Residual::none);
  t.conv2d({1, 8, 8, 4}, 4, 1, {}, Residual::none, true);
  t.conv2d({2, 9, 7, 40}, 24, 1, {.activation = Activation::silu}, Residual::row);
  t.conv2d({1, 8, 8, 32}, 24, 1, {.stride = 2}, Residual::none);
  t.conv2d({1, 8, 8, 32}, 24, 1, {.stride = 1, .pad_begin = 1, .pad_end = 1}, Residual::none);
  t.conv2d({2, 6, 6, 32}, 16, 3, same, Residual::none, true);
  t.conv2d({2, 8, 8, 64}, 96, 2, kUpsample, Residual::none);
  t.conv2d({1, 5, 3, 17}, 35, 2, {1, 1, 1, Activation::silu, 2}, Residual::none);
  t.conv2d({1, 6, 5, 16}, 24, 2, {1, 1, 1, Activation::silu, 2}, Residual::none);
  t.conv2d({2, 6, 7, 32}, 16, 2, kUpsample, Residual::none, true);
  t.conv2d({1, 1, 1, 8}, 8, 2, kUpsample, Residual::none);
  t.conv2d({2, 8, 8, 64}, 64, 3, {1, 1, 1, Activation::relu}, Residual::none);
  for (int kernel : {2, 3})
    t.add(Op::conv2d, fmt::format("2x8x8x64 to 64 kernel {} without bias", kernel), [=](Recorder& r) {
      Value x = r.input("x", {2, 8, 8, 64}), w = r.weight("w", {kernel == 2 ? 256 : 64, kernel, kernel, 64});
      return r.result(Op::conv2d, {x, w, none, none}, kernel == 2 ? kUpsample : same);
    }, {{"w", scaled(64 * 9)}});
}

void add_norms(Table& t) {
  t.group_norm({2, 8, 8, 320}, 32, Activation::silu);
  t.group_norm({2, 8, 8, 320}, 32, Activation::none);
  t.group_norm({1, 32, 32, 128}, 32, Activation::silu);
  t.group_norm({2, 5, 7, 60}, 6, Activation::none);
  t.group_norm({2, 3, 5, 30}, 3, Activation::silu);
  t.group_norm({1, 9, 9, 7}, 7, Activation::none);
  t.group_norm({2, 1, 1, 64}, 4, Activation::none);
  t.group_norm({3, 16, 16, 64}, 32, Activation::none, {.mean = 30});
  t.group_norm({1, 6, 6, 40}, 8, Activation::silu, {.deviation = 0.01f});
  t.group_norm({2, 6, 6, 40}, 8, Activation::silu, {}, true);

  t.group_norm({2, 16, 16, 1280}, 32, Activation::silu);
  t.group_norm({1, 32, 24, 640}, 32, Activation::none);
  t.group_norm({2, 15, 17, 256}, 8, Activation::silu, {.mean = 30});
  t.given_group_norm({2, 8, 8, 320}, 32, Activation::silu);
  t.given_group_norm({2, 3, 5, 30}, 3, Activation::none);
  t.given_group_norm({2, 6, 6, 40}, 8, Activation::silu, true);

  t.group_statistics({2, 8, 8, 320}, 32, {});
  t.group_statistics({1, 16, 16, 64}, 32, {}, {.mean = 30});
  t.group_statistics({1, 24, 20, 64}, 32, {0, 3, 22, 17});
  t.group_statistics({2, 9, 11, 60}, 6, {5, 0, 4, 11});
  t.group_statistics({1, 7, 7, 12}, 4, {6, 6, 1, 1});
  t.group_statistics({2, 40, 30, 40}, 8, {2, 3, 37, 25}, {.mean = 30});
  t.group_statistics({2, 12, 10, 40}, 8, {2, 3, 7, 6}, {}, true);

  t.layer_norm({2, 1, 77, 768});
  t.layer_norm({2, 8, 8, 640});
  t.layer_norm({1, 1, 3, 37});
  t.layer_norm({2, 4, 4, 64}, {.mean = 30});
  t.layer_norm({1, 3, 5, 48}, {}, true);
}

void add_elementwise(Table& t) {
  for (Op op : {Op::silu, Op::gelu, Op::quick_gelu, Op::relu}) {
    t.unary(op, {2, 5, 7, 13}, {.deviation = 3});
    t.unary(op, {1, 4, 4, 33}, {.deviation = 60});
    t.unary(op, {1, 3, 3, 20}, {}, true);
  }
  for (Op op : {Op::add, Op::mul}) {
    Shape a{2, 3, 5, 21};
    for (Shape b : {a, Shape{2, 1, 1, 21}, Shape{1, 1, 1, 21}, Shape{2, 3, 5, 1}, Shape{2, 1, 1, 1}, Shape{1, 1, 5, 21}})
      t.add(op, text(a) + " with " + text(b), [=](Recorder& r) { return r.result(op, {r.input("a", a), r.input("b", b)}); });
    t.add(op, text(a) + " sliced", [=](Recorder& r) { return r.result(op, {r.view("a", a, 2), r.view("b", a, 7)}); });
    t.add(op, "2x32x32x64", [=](Recorder& r) { return r.result(op, {r.input("a", {2, 32, 32, 64}), r.input("b", {2, 32, 32, 64})}); });
  }
  t.add(Op::affine, "2x4x4x9", [](Recorder& r) { return r.result(Op::affine, {r.input("x", {2, 4, 4, 9})}, AffineAttr{0.18215f, -0.5f}); });
  t.unary(Op::geglu, {2, 8, 8, 2560}), t.unary(Op::geglu, {1, 3, 5, 14}), t.unary(Op::geglu, {1, 4, 4, 24}, {}, true);
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
  auto pad = [&](Shape x, PadAttr a, bool sliced) {
    t.add(Op::pad, fmt::format("{} by{}{}", text(x), to_string(Attributes(a)), sliced ? " sliced" : ""),
          [=](Recorder& r) { return r.result(Op::pad, {r.input_or_view("x", x, sliced)}, a); });
  };
  pad({2, 4, 6, 32}, {1, true, true}, false), pad({2, 3, 5, 7}, {1, true, false}, false), pad({1, 5, 3, 8}, {2, false, true}, true), pad({1, 1, 1, 4}, {1, true, true}, false);
  t.add(Op::embedding, "of 49 rows", [](Recorder& r) {
    return r.result(Op::embedding, {r.input("ids", {2, 1, 77, 1}, Dtype::i32), r.weight("table", {1, 1, 49, 37})});
  }, {{"ids", {.below = 49}}});
  t.add(Op::take_token, "of 77", [](Recorder& r) {
    return r.result(Op::take_token, {r.input("x", {3, 1, 77, 24}), r.input("index", {3, 1, 1, 1}, Dtype::i32)});
  }, {{"index", {.below = 77}}});
}

void add_attention(Table& t) {
  for (const AttentionCase& c : std::vector<AttentionCase>{
           {"self 64", {2, 8, 8, 320}, {2, 8, 8, 320}, 5},
           {"self 40, blocks of keys", {1, 13, 17, 80}, {1, 13, 17, 80}, 2},
           {"stacked projections", {2, 7, 9, 128}, {2, 7, 9, 128}, 2, false, true},
           {"77 text tokens", {2, 8, 8, 128}, {2, 1, 77, 128}, 2},
           {"causal", {2, 1, 77, 96}, {2, 1, 77, 96}, 3, true},
           {"causal, blocks of queries", {1, 1, 201, 32}, {1, 1, 201, 32}, 2, true},
           {"one wide head", {1, 10, 10, 512}, {1, 10, 10, 512}, 1},
           {"head of 7", {1, 3, 5, 21}, {1, 1, 6, 21}, 3},
           {"one key", {2, 2, 2, 16}, {2, 1, 1, 16}, 2},
           {"peaky", {1, 18, 9, 64}, {1, 18, 9, 64}, 1, false, false, 4},
       }) {
    t.attention(c);
    t.add(Op::attention_scores, c.what, [=](Recorder& r) {
      std::vector<Value> in = queries_keys_values(r, c);
      return r.result(Op::attention_scores, {in[0], in[1]}, c.attr());
    });
    t.add(Op::attention_mix, c.what, [=](Recorder& r) {
      Value weights = r.input("weights", {c.q.n, c.heads, c.q.tokens(), c.k.tokens()});
      return r.result(Op::attention_mix, {weights, c.stacked ? r.view("v", c.k, c.k.c) : r.input("v", c.k)}, {}, c.q);
    });
  }
  for (Shape s : {Shape{2, 3, 16, 64}, Shape{1, 2, 5, 77}, Shape{1, 1, 3, 1}}) t.unary(Op::softmax, s, {.deviation = 5});
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
  for (float spread : {0.0f, 0.3f, 3.0f})  // of the other prediction
    t.add(Op::mimic, fmt::format("spread {}", spread), [](Recorder& r) {
      return r.result(Op::mimic, {r.input("prediction", {3, 8, 9, 4}), r.input("other", {3, 8, 9, 4}), r.view("x", {3, 8, 9, 4}, 0), r.input("clean", {3, 1, 1, 2})});
    }, {{"other", {.deviation = spread}}, {"clean", {.mean = 1, .deviation = 0.2f}}});
  t.add(Op::mimic, "off", [](Recorder& r) {
    return r.result(Op::mimic, {r.input("prediction", {1, 8, 9, 4}), r.input("other", {1, 8, 9, 4}), r.input("x", {1, 8, 9, 4}), r.input("clean", {1, 1, 1, 2})});
  }, {{"clean", {.mean = 0, .deviation = 0}}});
  for (int64_t parts : {1, 2, 5})
    t.add(Op::scheduler_row, fmt::format("{} saved", parts - 1), [=](Recorder& r) {
      return r.result(Op::scheduler_row, {r.input("state", {2, 8, 8, 4 * parts}), r.input("prediction", {2, 8, 8, 4}), r.input("noise", {2, 8, 8, 4}),
                                          r.input("matrix", {2, 1, 1, parts * (parts + 2)})});
    });
}
}  // namespace

std::vector<OpCase> op_cases() {
  Table t;
  add_linears(t), add_convolutions(t), add_bounds(t), add_folded_norms(t), add_norms(t), add_elementwise(t), add_copies(t), add_attention(t), add_exact(t);
  return std::move(t.cases);
}

std::vector<OpCase> tile_cases() {
  Table t;
  ConvAttr same{.stride = 1, .pad_begin = 1, .pad_end = 1};
  t.linear({1, 8, 16, 64}, 64, Activation::none, false, Residual::none);  // one box and one step: the simplest there is
  t.linear({2, 16, 24, 320}, 640, Activation::none, true, Residual::full);
  t.linear({2, 16, 24, 320}, 200, Activation::none, true, Residual::row);
  t.linear({2, 1, 333, 72}, 328, Activation::none, true, Residual::none);
  t.linear({1, 32, 64, 128}, 2560, Activation::none, true, Residual::full);  // more tiles than a GPU has processors
  t.linear({2, 16, 24, 320}, 320, Activation::geglu, true, Residual::none);
  t.linear({1, 1, 300, 136}, 1288, Activation::geglu, false, Residual::none);
  t.linear({2, 16, 24, 320}, 640, Activation::none, true, Residual::full, false, 1e-5f);
  t.linear({2, 1, 333, 72}, 328, Activation::none, false, Residual::none, false, 1e-5f);
  t.linear({1, 1, 300, 136}, 1288, Activation::geglu, true, Residual::none, false, 1e-5f);
  add_narrow_results(t, 4);
  for (Dtype q : {Dtype::i8, Dtype::f8}) {
    t.quantized_linear(q, {1, 8, 16, 128}, 64, Activation::none, Residual::none);
    t.quantized_linear(q, {2, 16, 24, 320}, 640, Activation::none, Residual::full);
    t.quantized_linear(q, {2, 16, 24, 1280}, 200, Activation::none, Residual::row);
    t.quantized_linear(q, {2, 1, 333, 80}, 328, Activation::none, Residual::none, false, 1e-5f);
    t.quantized_linear(q, {1, 32, 64, 128}, 2560, Activation::none, Residual::full);
    t.quantized_linear(q, {1, 1, 300, 144}, 1288, Activation::geglu, Residual::none, false, 1e-5f);
    t.quantized_linear(q, {1, 16, 20, 5120}, 1280, Activation::none, Residual::full);
    t.quantized_conv2d(q, {3, 9, 13, 80}, 320, Residual::row);
    t.quantized_conv2d(q, {2, 16, 16, 1280}, 640, Residual::full);
    t.quantized_conv2d(q, {1, 64, 64, 320}, 320, Residual::none);
  }
  t.conv2d({2, 16, 16, 64}, 96, 3, same, Residual::none);
  t.conv2d({2, 16, 16, 64}, 96, 3, same, Residual::full);
  t.conv2d({3, 9, 13, 72}, 320, 3, same, Residual::row);
  t.conv2d({2, 16, 24, 128}, 160, 3, {.stride = 2, .pad_begin = 1, .pad_end = 1}, Residual::none);
  t.conv2d({1, 17, 14, 64}, 64, 3, {.stride = 2, .pad_begin = 0, .pad_end = 1}, Residual::none);
  t.conv2d({2, 8, 8, 64}, 64, 2, kUpsample, Residual::none);
  t.conv2d({3, 9, 13, 72}, 328, 2, kUpsample, Residual::none);
  t.attention({"tiles: 64 and 64", {1, 1, 64, 64}, {1, 1, 64, 64}, 1});
  t.attention({"tiles: self 20x20", {2, 20, 20, 320}, {2, 20, 20, 320}, 5});
  t.attention({"tiles: stacked", {2, 16, 16, 128}, {2, 16, 16, 128}, 2, false, true});
  t.attention({"tiles: 77 text tokens", {2, 16, 24, 640}, {2, 1, 77, 640}, 10});
  t.attention({"tiles: 512 keys, peaky", {1, 16, 32, 64}, {1, 16, 32, 64}, 1, false, false, 1});
  return std::move(t.cases);
}

std::vector<OpCase> sdxl_cases(int side) {
  Table t;
  ConvAttr same{.stride = 1, .pad_begin = 1, .pad_end = 1};
  int large = side, middle = side / 2, small = side / 4;  // the UNet's three levels: 320, 640 and 1280 channels
  for (auto [s, c] : {std::pair{large, 320}, {middle, 640}, {small, 1280}}) {
    t.conv2d({2, s, s, c}, c, 3, same, Residual::full);
    t.conv2d({2, s, s, c}, c, 3, same, Residual::row);
    for (Dtype q : {Dtype::i8, Dtype::f8}) t.quantized_conv2d(q, {2, s, s, c}, c, Residual::full);
  }
  t.conv2d({2, large, large, 960}, 320, 3, same, Residual::none);
  t.conv2d({2, middle, middle, 1920}, 640, 1, {}, Residual::none);
  t.conv2d({1, 4 * side, 4 * side, 512}, 256, 1, {}, Residual::none);  // the decoder's
  t.conv2d({1, 2 * side, 2 * side, 512}, 512, 3, same, Residual::full);  // the decoder's
  t.conv2d({1, 8 * side, 8 * side, 128}, 128, 3, same, Residual::full);
  for (auto [x, c] : {std::pair<Shape, int64_t>{{2, small, small, 1280}, 1280}, {{2, middle, middle, 640}, 640}, {{1, side, side, 512}, 512}}) {
    t.conv2d(x, c, 2, kUpsample, Residual::none);
    t.conv2d({x.n, 2 * x.h, 2 * x.w, c}, c, 3, same, Residual::none);  // what it stands for, without the enlarging
    t.add(Op::upsample_nearest, text(x), [x = x](Recorder& r) { return r.result(Op::upsample_nearest, {r.input("x", x)}, {}, {.h = 2 * x.h, .w = 2 * x.w}); });
  }
  t.conv2d({1, 8 * side, 8 * side, 128}, 3, 3, same, Residual::none);
  for (auto [s, c] : {std::pair{middle, 640}, {small, 1280}}) {
    t.linear({2, s, s, c}, c, Activation::none, true, Residual::full);
    t.linear({2, s, s, c}, 3 * c, Activation::none, false, Residual::none);
    t.linear({2, s, s, c}, 8 * c, Activation::none, true, Residual::none);
    t.linear({2, s, s, c}, 4 * c, Activation::geglu, true, Residual::none);
    t.linear({2, s, s, 4 * c}, c, Activation::none, true, Residual::full);
    for (Dtype q : {Dtype::i8, Dtype::f8}) {
      t.quantized_linear(q, {2, s, s, c}, c, Activation::none, Residual::full);
      t.quantized_linear(q, {2, s, s, c}, 3 * c, Activation::none, Residual::none);
      t.quantized_linear(q, {2, s, s, c}, 8 * c, Activation::none, Residual::none);
      t.quantized_linear(q, {2, s, s, 4 * c}, c, Activation::none, Residual::full);
    }
  }
  auto attention = [&](int s, int c, const char* what) {
    t.attention({fmt::format("{}x{}, {} heads of 64{}", s, s, c / 64, what), {2, s, s, c}, *what ? Shape{2, 1, 77, c} : Shape{2, s, s, c}, c / 64});
  };
  attention(middle, 640, ""), attention(small, 1280, ""), attention(middle, 640, ", text"), attention(small, 1280, ", text");
  t.attention({fmt::format("{}x{}, one head of 512", side, side), {1, side, side, 512}, {1, side, side, 512}, 1});
  t.group_norm({2, large, large, 320}, 32, Activation::silu), t.group_norm({2, middle, middle, 640}, 32, Activation::silu);
  t.group_norm({1, 4 * side, 4 * side, 128}, 32, Activation::silu);
  t.layer_norm({2, middle, middle, 640}), t.layer_norm({2, small, small, 1280});
  t.unary(Op::geglu, {2, middle, middle, 5120}), t.unary(Op::silu, {2, large, large, 320});
  t.add(Op::add, text({2, large, large, 320}), [=](Recorder& r) { return r.result(Op::add, {r.input("a", {2, large, large, 320}), r.input("b", {2, large, large, 320})}); });
  return std::move(t.cases);
}

std::vector<float> fill_values(const std::string& name, int64_t count, const Fill& fill) {
  if (!fill.integers.empty()) return {fill.integers.begin(), fill.integers.end()};
  std::seed_seq seed(name.begin(), name.end());
  std::mt19937 random(seed);
  std::vector<float> values(static_cast<size_t>(count));
  std::normal_distribution<float> normal(fill.mean, fill.deviation == 0 ? 1 : fill.deviation);
  for (float& x : values) x = fill.below ? float(random() % uint64_t(fill.below)) : fill.deviation == 0 ? fill.mean : normal(random);
  return values;
}

}  // namespace hayate
