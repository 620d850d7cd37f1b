// Each rung of the ladder computes what the rung below does: exactly so in float32, and in bfloat16 no worse than diffusers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "passes/ladder.h"
#include "pipeline/parity.h"
#include "support/random_weights.h"

namespace hayate::testing {
namespace {

class Rungs : public ::testing::TestWithParam<std::tuple<Part, std::string>> {};
INSTANTIATE_TEST_SUITE_P(Parity, Rungs, ::testing::Combine(::testing::ValuesIn(all_parts()), ::testing::ValuesIn(fast_devices())),
                         [](const auto& info) { return test_name(std::get<0>(info.param)) + "_" + std::get<1>(info.param); });

// The rung without the pass that lowers precision, so that only the technique itself is left to differ.
Program climb_in_float32(Program p, const std::string& rung, const Target& target) {
  for (const Rung& step : ladder()) {
    for (const Pass& pass : step.adds)
      if (std::strcmp(pass.name, "lower_precision") != 0) p = pass.apply(p, {.target = target, .dtype = Dtype::f32});
    if (step.name == rung) break;
  }
  p = pack_weights(p, {.target = target, .dtype = Dtype::f32});
  verify(p, &target);
  return p;
}

TEST_P(Rungs, KeepEveryValueInFloat32) {
  const auto& [part, device] = GetParam();
  Golden golden = load_golden(part);
  auto backend = backend_named(device);
  auto run_rung = [&, &part = part](const char* rung) {
    return run(climb_in_float32(record(part, golden), rung, *backend), backend, weights_of(part), golden);
  };
  auto below = by_name(run_rung("fp32"));
  size_t recorded = below.size();
  for (const char* rung : {"attention", "compile", "projections"}) {
    std::vector<Ran> values = run_rung(rung);
    for (const Distance& d : distances(values, golden)) EXPECT_LE(d.error, float32_bound(d.name)) << rung << ": " << d.name;
    size_t compared = 0;
    for (const Ran& r : values)
      if (auto same = below.find(r.name); same != below.end()) {
        EXPECT_LE(relative_l2(r.data, same->second), 1e-5) << rung << ": " << r.name;
        ++compared;
      }
    EXPECT_GE(compared, recorded / 2) << rung << ": fusing took too many names, what is left proves little";
    below = by_name(std::move(values));
  }
}

// From the same inputs, how much further from float32 each value is than in diffusers' bfloat16. Rounding is luck: single values may be unlucky, all of
// them together hardly. Of a tiny network they hang together: with exponentials within 1e-7 and within 3e-6, far below what is rounded, medians of the
// same rung were 0.92 and 1.05, 1.19 and 1.24.
TEST_P(Rungs, AreNoFurtherFromFloat32ThanDiffusersInBfloat16) {
  const auto& [part, device] = GetParam();
  Golden golden = load_golden(part);
  auto backend = backend_named(device);
  for (const char* rung : {"bf16", "attention", "compile", "projections"}) {
    std::vector<std::pair<double, std::string>> ratios;
    for (const Distance& d : distances(run(climb(record(part, golden), find_rung(rung), *backend), backend, weights_of(part), golden), golden)) {
      double theirs = golden.bf16_distance.at(d.name);
      if (theirs == 0) continue;  // the sinusoids, which stay float32
      EXPECT_LE(d.error, 6 * theirs) << rung << ": " << d.name;
      ratios.emplace_back(d.error / theirs, d.name);
    }
    ASSERT_GE(ratios.size(), 20u);
    std::ranges::sort(ratios);
    const double median = ratios[ratios.size() / 2].first;
    RecordProperty(rung, fmt::format("{:.2f}", median));
    std::string all;
    for (const auto& [ratio, name] : ratios) all += fmt::format("\n{:.2f} {}", ratio, name);
    EXPECT_LE(median, 1.4) << rung << ", of" << all;
  }
}

// With eight bits in every linear that may have them: a quantized row is off by about 1 %, there are many one after another, and attention that is
// as peaky as in these models makes more of it.
TEST_P(Rungs, StayNearInInt8) {
  const auto& [part, device] = GetParam();
  Golden golden = load_golden(part);
  auto backend = backend_named(device);
  if (!backend->has_quantized(Dtype::i8)) GTEST_SKIP() << device << " has no products of int8";
  auto run_rung = [&, &part = part](const char* rung) {
    const Program p = climb(record(part, golden), find_rung(rung), *backend, {.quantization = {Quantization::Layers::all}});
    return std::pair{std::ranges::count(p.nodes(), Op::quantize, &Node::op), run(p, backend, weights_of(part), golden)};
  };
  const auto above = by_name(run_rung("projections").second);
  const auto [quantized, values] = run_rung("int8");
  EXPECT_EQ(quantized > 0, part.component == "unet");  // the others compute once a prompt
  double worst = 0;
  size_t compared = 0;
  for (const Ran& r : values)
    if (auto same = above.find(r.name); same != above.end()) {
      worst = std::max(worst, relative_l2(r.data, same->second));
      EXPECT_LE(relative_l2(r.data, same->second), r.name == "conv_out" ? 0.15 : 0.3) << r.name;  // 0.03 to 0.105 by model and processor
      ++compared;
    }
  EXPECT_GE(compared, above.size() / 2);
  RecordProperty("worst", fmt::format("{:.4f}", worst));
  EXPECT_GE(worst, quantized ? 3e-3 : 0);
}

}  // namespace
}  // namespace hayate::testing
