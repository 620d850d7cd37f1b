// Every pass alone, every prefix of the ladder and the whole of it leave each named value what it was: a small UNet with
// random weights on the reference backend, compared by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "backend/backend.h"
#include "models/denoise_step.h"
#include "passes/ladder.h"
#include "support/random_weights.h"

namespace hayate {
namespace {

using testing::random_floats;
using testing::RandomWeights;
using testing::relative_l2;

UNetConfig small_unet() {
  UNetConfig u{};
  u.levels = {{.channels = 16, .heads = 2, .down_layers = {0}, .up_layers = {0, 0}}, {.channels = 32, .heads = 4, .down_layers = {2}, .up_layers = {1, 2}}};
  u.mid = UNetConfig::Mid::cross_attention;
  u.mid_layers = 1;
  u.in_channels = u.out_channels = 4;
  u.groups = 8;
  u.cross_attention_dim = 24;
  u.norm_eps = 1e-5f;
  u.flip_sin_to_cos = true;
  u.conv_in_kernel = u.conv_out_kernel = 3;
  u.text_time = true;
  u.addition_time_embed_dim = 8;
  u.added_width = 12 + 6 * 8;
  return u;
}

constexpr int64_t kEven = 6;  // enlarged exactly twofold from half of it, which 5 is not
Program record(int64_t width = 5) {
  return record_denoise_step(small_unet(), {.pictures = 2, .h = 6, .w = width, .guided = true, .saved = 0, .tokens = 7, .pooled_width = 12});
}

using Values = std::map<std::string, std::vector<float>>;

// Every value of both sections, as float32.
Values run(const Program& program) {
  auto backend = make_reference_backend();
  RandomWeights weights(backend);
  auto exec = backend->compile(program, weights, {.keep_all = true});
  const Program& p = exec->program();
  for (const Node& n : p.nodes()) {
    if (n.op != Op::input) continue;
    std::vector<float> x = n.name == "row" ? std::vector<float>{501, 0.3f, 5, 0, 1, -0.2f, 0, 17, 0.7f, 3, 0.5f, 0.9f, -0.1f, 0.2f}
                                           : random_floats(n.name, n.shape.count(), 0, 1);
    exec->write(n.name, std::as_bytes(std::span(x)));
  }
  exec->run(Rate::prompt);
  exec->run(Rate::step);
  Values values;
  for (Value v = 0; v < p.size(); ++v) {
    const Node& n = p[v];
    if (is_source(n) || n.rate == Rate::load || is_quantized(n.dtype)) continue;
    std::vector<std::byte> bytes(static_cast<size_t>(byte_size(n)));
    std::vector<float> floats(static_cast<size_t>(n.shape.count()));
    exec->read(n.name, bytes);
    if (n.dtype == Dtype::f32) std::memcpy(floats.data(), bytes.data(), bytes.size());
    else convert(n.dtype, bytes, Dtype::f32, std::as_writable_bytes(std::span(floats)));
    values[n.name] = std::move(floats);
  }
  return values;
}

struct Comparison { int shared = 0; double worst = 0; std::string where; };

Comparison compare(const Values& a, const Values& b) {
  Comparison c;
  for (const auto& [name, value] : a) {
    auto other = b.find(name);
    if (other == b.end() || other->second.size() != value.size()) continue;
    ++c.shared;
    if (double e = relative_l2(value, other->second); !(e <= c.worst)) c.worst = e, c.where = name;
  }
  return c;
}

const Values& recorded(int64_t width = 5) {
  static std::map<int64_t, Values> values;
  if (!values.contains(width)) values[width] = run(record(width));
  return values[width];
}

PassOptions options() {
  static const std::shared_ptr<Backend> backend = make_reference_backend();
  return {.target = *backend, .dtype = Dtype::bf16};
}

class EachPass : public ::testing::TestWithParam<Pass> {};

TEST_P(EachPass, AloneKeepsEveryNamedValue) {
  const int64_t width = std::string(GetParam().name) == "fold_upsample" ? kEven : 5;
  Program p = GetParam().apply(record(width), options());
  verify(p);
  Comparison c = compare(run(p), recorded(width));
  bool lowers = std::string(GetParam().name) == "lower_precision";
  EXPECT_LE(c.worst, lowers ? 5e-2 : 2e-6) << "first at " << c.where;  // fuse_layer_norm sums in another order
  EXPECT_GE(c.shared, 150);
  EXPECT_NE(print(p), print(record(width))) << "the pass changed nothing";
}

// Those that change no value but by rounding; what quantizes is measured below.
std::vector<Pass> all_passes() {
  std::vector<Pass> passes;
  for (const Rung& r : ladder())
    if (r.quantized.empty()) passes.insert(passes.end(), r.adds.begin(), r.adds.end());
  return passes;
}
INSTANTIATE_TEST_SUITE_P(Passes, EachPass, ::testing::ValuesIn(all_passes()), [](const auto& info) { return info.param.name; });

TEST(Ladder, EveryPrefixInFloat32KeepsEveryNamedValue) {
  Program p = record(kEven);
  for (const Pass& pass : all_passes()) {
    if (std::string(pass.name) == "lower_precision") continue;
    p = pass.apply(p, options());
    verify(p);
    Comparison c = compare(run(p), recorded(kEven));
    EXPECT_LE(c.worst, 2e-6) << "after " << pass.name << ", first at " << c.where;
    EXPECT_GE(c.shared, 60) << "after " << pass.name;
  }
}

TEST(Ladder, EachRungAgreesWithTheRungBelow) {
  auto backend = make_reference_backend();
  Values below = recorded();
  for (const Rung& rung : ladder()) {
    if (!rung.quantized.empty()) continue;
    Values now = run(climb(record(), rung, *backend));
    Comparison c = compare(now, below);
    EXPECT_LE(c.worst, rung.name == std::string("fp32") ? 0 : 0.1) << "rung " << rung.name << ", first at " << c.where;
    EXPECT_GE(c.shared, 60) << "rung " << rung.name;
    below = std::move(now);
  }
}

// Eight bits on every linear that may have them: a quantized row is off by about 1 % (int8) or 3 % (float8), and there are many one after another.
TEST(Ladder, QuantizedRungsStayNear) {
  auto backend = make_reference_backend();
  const Values projections = run(climb(record(), find_rung("projections"), *backend));
  struct Case { const char* name; double bound; bool convolutions; };
  for (auto [name, bound, convolutions] : {Case{"int8", 0.08, false}, {"int8", 0.12, true}, {"fp8", 0.3, false}, {"fp8", 0.35, true}}) {
    const Program p = climb(record(), find_rung(name), *backend, {.quantization = {.convolutions = convolutions}});
    const double off = relative_l2(run(p).at("conv_out"), projections.at("conv_out"));
    EXPECT_LE(off, bound) << name;
    EXPECT_GE(off, 3e-3) << name << ": nothing was quantized";
  }
}

TEST(Ladder, WhatIsQuantized) {
  auto backend = make_reference_backend();
  auto count = [&](Quantization layers, auto is_counted) {
    const Program p = climb(record(), find_rung("fp8"), *backend, {.quantization = layers});
    int sum = 0;
    for (const Node& n : p.nodes()) sum += n.op == Op::linear && is_quantized(p[n.in[0]].dtype) && is_counted(p, n);
    return sum;
  };
  auto any = [](const Program&, const Node&) { return true; };
  const int all = count({Quantization::Layers::all}, any);
  EXPECT_GE(all, 20);
  EXPECT_EQ(count({Quantization::Layers::gains}, any), all);  // the reference measures nothing
  EXPECT_EQ(count({Quantization::Layers::all}, [](const Program& p, const Node& n) { return p[n.in[0]].shape.tokens() == 1 || n.rate != Rate::step; }), 0);
  EXPECT_EQ(count({Quantization::Layers::all}, [](const Program& p, const Node& n) { return p[n.in[1]].op != Op::quantize || p[n.in[1]].rate != Rate::load; }), 0);
  EXPECT_GT(count({Quantization::Layers::all}, [](const Program& p, const Node& n) { return p[n.in[0]].op == Op::quantize && p[n.in[0]].template as<QuantizeAttr>().normalise > 0; }), 0);
  EXPECT_EQ(count({.layers = Quantization::Layers::matching, .patterns = {"*.ff.net.2", "*.attn1.to_q"}}, any), 12);  // of six transformer blocks; to_q stands for all three
  EXPECT_EQ(count({.layers = Quantization::Layers::matching, .patterns = {"nothing"}}, any), 0);
}

// Attention, gated linears and group norms write eight bits themselves where what reads them wants that, and where their result has a bound.
TEST(Ladder, QuantizedResults) {
  auto backend = make_reference_backend();
  auto count = [&](bool convolutions) {
    const Program p = climb(record(), find_rung("fp8"), *backend, {.quantization = {.convolutions = convolutions}});
    std::map<Op, int> sum;
    for (const Node& n : p.nodes())
      if (is_quantized(n.dtype) && n.rate == Rate::step) ++sum[n.op];
    return sum;
  };
  std::map<Op, int> plain = count(false), with_convolutions = count(true);
  EXPECT_EQ(plain[Op::attention], 12);  // of six transformer blocks: on themselves, on the text
  EXPECT_EQ(plain[Op::linear], 6);
  EXPECT_EQ(plain[Op::group_norm], with_convolutions[Op::linear] - 2);  // before proj_in
  EXPECT_GT(with_convolutions[Op::group_norm], plain[Op::group_norm] + 5);
}

TEST(Quantization, TheArticleLeavesOutSizes) {
  const Quantization article{Quantization::Layers::article};
  EXPECT_TRUE(article.allows("", 1280, 10240));
  EXPECT_TRUE(article.allows("", 2560, 640));
  EXPECT_FALSE(article.allows("", 640, 640));
  EXPECT_FALSE(article.allows("", 16, 64));
}

int launches(const Program& p, Rate rate) {
  int count = 0;
  for (const Node& n : p.nodes()) count += n.rate == rate && !is_source(n) && !is_view(n);
  return count;
}

TEST(Ladder, FusionRemovesLaunches) {
  auto backend = make_reference_backend();
  std::map<std::string, int> step;
  for (const Rung& rung : ladder())
    step[rung.name] = launches(climb(record(), rung, *backend), Rate::step);
  EXPECT_LT(step["attention"], step["bf16"]);
  EXPECT_LT(step["compile"], step["attention"] * 3 / 4);
  EXPECT_LT(step["projections"], step["compile"]);
}

TEST(Ladder, TextProjectionsBecomeOneLinearAtPromptRate) {
  auto backend = make_reference_backend();
  Program p = climb(record(), find_rung("projections"), *backend);
  int linears = 0;
  for (const Node& n : p.nodes()) linears += n.op == Op::linear && n.rate == Rate::prompt;
  EXPECT_EQ(linears, 3);  // all text keys and values, and the two of add_embedding
}

// conv, then a norm that is told its statistics, and silu; and the statistics of a region of the convolution.
Program with_statistics() {
  Program p;
  Builder b(p);
  Value conv = b.conv2d("conv", b.input("x", {1, 6, 5, 16}, Rate::prompt), 8, 3), region = b.input("region", {1, 1, 1, 4}, Rate::prompt, Dtype::i32);
  Node norm = p[b.group_norm("plain", conv, 4, 1e-6f)];
  norm.name = "norm";
  norm.in.push_back(b.input("statistics", {1, 1, 4, 2}, Rate::prompt));
  p.outputs = {b.activation("silu", p.add(norm), Activation::silu), b.group_statistics("measured", conv, 4, region)};
  return p;
}

TEST(Ladder, StatisticsAreFloat32OfWhatIsStored) {
  auto backend = make_reference_backend();
  Program p = climb(drop_dead(with_statistics()), find_rung("projections"), *backend);
  const Node &norm = p[p.find("silu")], &measured = p[p.find("measured")];
  EXPECT_EQ(norm.op, Op::group_norm);
  EXPECT_EQ(norm.dtype, Dtype::bf16);
  EXPECT_EQ(p[norm.in.at(3)].name, "statistics");
  EXPECT_EQ(p[norm.in[3]].dtype, Dtype::f32);
  EXPECT_EQ(measured.dtype, Dtype::f32);
  EXPECT_EQ(p[measured.in[0]].name, "conv");  // no cast between them
  EXPECT_EQ(p[p.outputs[1]].name, "measured");
}

TEST(Ladder, OnlyWhatIsTwiceAsLargeIsFolded) {
  auto folds = [](int64_t width) {
    int count = 0;
    const Program p = fold_upsample(record(width), options());
    for (const Node& n : p.nodes()) count += n.op == Op::conv2d && n.as<ConvAttr>().upsample == 2;
    return count;
  };
  EXPECT_EQ(folds(kEven), 1);
  EXPECT_EQ(folds(5), 0);
}

TEST(Ladder, ObserverSeesEveryPass) {
  auto backend = make_reference_backend();
  std::vector<std::string> seen;
  climb(record(), find_rung("bf16"), *backend, {}, [&](const std::string& pass, const Program&) { seen.push_back(pass); });
  EXPECT_THAT(seen, ::testing::ElementsAre("record", "lower_precision", "pack_weights"));
}

TEST(Ladder, UnknownRungsAreNamed) {
  EXPECT_THAT([] { find_rung("fp7"); }, ::testing::ThrowsMessage<Error>(::testing::HasSubstr("projections")));
}

// The comparison itself must be able to fail.
struct Fault { const char* name; Edit edit; };
class PlantedFault : public ::testing::TestWithParam<Fault> {};

TEST_P(PlantedFault, BreaksTheBound) {
  Comparison c = compare(run(rewrite(record(), GetParam().edit)), recorded());
  EXPECT_GT(c.worst, 1e-4) << "the fault went unnoticed";
}

Value wrong_eps(Program& out, Value, Node n) {
  if (auto* a = std::get_if<NormAttr>(&n.attr); a && n.name == "mid_block.resnets.0.norm1") a->eps = 1e-2f;
  return out.add(std::move(n));
}
Value wrong_scale(Program& out, Value, Node n) {
  if (auto* a = std::get_if<AttentionAttr>(&n.attr); a && n.op == Op::attention_scores) a->scale *= 0.9f;
  return out.add(std::move(n));
}
Value dropped_bias(Program& out, Value, Node n) {
  if (n.name == "mid_block.attentions.0.proj_in") n.in[2] = none;
  return out.add(std::move(n));
}
Value swapped_halves(Program& out, Value, Node n) {
  if (n.op == Op::concat && n.name.starts_with("up_blocks.1") && out[n.in[0]].shape == out[n.in[1]].shape) std::swap(n.in[0], n.in[1]);
  return out.add(std::move(n));
}
INSTANTIATE_TEST_SUITE_P(Faults, PlantedFault,
                         ::testing::Values(Fault{"wrong_eps", wrong_eps}, Fault{"wrong_scale", wrong_scale}, Fault{"dropped_bias", dropped_bias},
                                           Fault{"swapped_halves", swapped_halves}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace hayate
