// Every value of every component equals diffusers' value of the same name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <set>

#include "core/glob.h"
#include "pipeline/parity.h"

namespace hayate::testing {
namespace {

// Values that only one side has, and why. Any other name that is missing fails the test.
struct Excuse {
  const char* pattern;
  const char* why;
};
constexpr Excuse kOnlyDiffusers[] = {
    {"text_model.embeddings.position_embedding", "read as a weight: nothing is computed"},
};
constexpr Excuse kOnlyHayate[] = {
    {"*add_time", "sums inside a module's forward have no module in diffusers"},
    {"*add_attn?", "a sum"},
    {"*add_attention", "a sum"},
    {"emb", "a sum"},
    {"add_embeds", "a concatenation"},
    {"*cat.?", "a concatenation with a skip"},
    {"*.nearest", "an interpolation"},
    {"*net.0.value", "half of the projection"},
    {"*net.0.gate", "half of the projection"},
    {"*net.0.gelu", "a function inside GEGLU"},
    {"latents.unscaled", "done by the pipeline in diffusers"},
    {"pooled", "an index"},
};

template <size_t N>
bool excused(const Excuse (&excuses)[N], const std::string& name) {
  return std::ranges::any_of(excuses, [&](const Excuse& e) { return glob_match(e.pattern, name); });
}

struct Case {
  Part part;
  std::string device;
};
void PrintTo(const Case& c, std::ostream* out) { *out << test_name(c.part) << " on " << c.device; }
class Values : public ::testing::TestWithParam<Case> {};

TEST_P(Values, EqualDiffusers) {
  const auto& [part, device] = GetParam();
  Golden golden = load_golden(part);
  auto backend = backend_named(device);
  std::vector<Ran> values = run(record(part, golden), backend, weights_of(part), golden);

  std::set<std::string> names;
  for (const Ran& r : values) {
    names.insert(r.name);
    EXPECT_TRUE(golden.sketches.contains(r.name) || excused(kOnlyHayate, r.name)) << "diffusers has no " << r.name;
  }
  for (const auto& [name, unused] : golden.sketches)
    EXPECT_TRUE(names.contains(name) || !belongs(part, name) || excused(kOnlyDiffusers, name)) << "hayate has no " << name;

  double largest = 0;
  for (const Distance& d : distances(values, golden)) {
    EXPECT_LE(d.error, float32_bound(d.name)) << d.name;
    largest = std::max(largest, d.error);
  }
  RecordProperty("largest_error", fmt::format("{:.1e}", largest));
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Part& part : all_parts()) {
    all.push_back({part, "reference"});
    for (const std::string& device : fast_devices()) all.push_back({part, device});
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Parity, Values, ::testing::ValuesIn(cases()),
                         [](const auto& info) { return test_name(info.param.part) + "_" + info.param.device; });

}  // namespace
}  // namespace hayate::testing
