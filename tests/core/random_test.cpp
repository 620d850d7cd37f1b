// TorchCpuGenerator against values that torch drew (tools/dump_noise.py).
#include "core/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/noise_cases.h"

namespace hayate {
namespace {

const std::map<std::string, RandnType> types = {{"f32", RandnType::f32}, {"f16", RandnType::f16}, {"bf16", RandnType::bf16}};

double bound(RandnType type) { return type == RandnType::f32 ? 1e-6 : 1e-12; }  // sums round, values must not

TEST(Random, MersenneTwisterEqualsTheStandardLibrarys) {
  for (uint32_t seed : {0u, 7u, 0xffffffffu}) {
    MersenneTwister ours(seed);
    std::mt19937 theirs(seed);
    std::vector<uint32_t> some(1000);
    for (size_t count : {1u, 623u, 624u, 625u, 16u, 1000u}) {
      ours.fill(std::span(some).first(count));
      for (size_t i = 0; i < count; ++i) ASSERT_EQ(some[i], uint32_t(theirs())) << "seed " << seed << ", number " << i << " of " << count;
      ASSERT_EQ(ours(), uint32_t(theirs()));
    }
  }
}

TEST(Random, EqualsTorchForEveryTypeSizeAndSeed) {
  Json cases = noise_cases("randn.json");
  ASSERT_GT(cases.size(), 200u);
  double worst_f32 = 0;
  for (const Json& golden : cases) {
    RandnType type = types.at(golden["type"]);
    TorchCpuGenerator generator(golden["seed"].get<uint64_t>());
    for (const Json& draw : golden["draws"]) {
      std::vector<float> noise(draw["count"].get<size_t>());
      generator.randn(noise, type);
      double found = deviation(noise, draw);
      EXPECT_TRUE(found <= bound(type)) << golden["seed"] << " " << golden["type"] << " " << draw["count"] << ": " << found;
      if (type == RandnType::f32) worst_f32 = std::max(worst_f32, found);
    }
  }
  RecordProperty("worst_f32", std::to_string(worst_f32));
}

TEST(Random, HighSeedBitsAreIgnored) {
  std::vector<float> a(100), b(100);
  TorchCpuGenerator(5).randn(a, RandnType::f32);
  TorchCpuGenerator((uint64_t{77} << 32) + 5).randn(b, RandnType::f32);
  EXPECT_EQ(a, b);
}

TEST(Random, HalfTypesAreRoundedFloatsWhere16Divides) {
  std::vector<float> single(64), half(64);
  TorchCpuGenerator(5).randn(single, RandnType::f32);
  TorchCpuGenerator(5).randn(half, RandnType::bf16);
  for (size_t i = 0; i < single.size(); ++i) EXPECT_TRUE(std::abs(single[i] - half[i]) <= std::abs(single[i]) / 256);
  EXPECT_NE(single, half);
}

// Faults that the comparison with torch has to catch.
TEST(Random, PlantedFaultsAreFound) {
  Json all = noise_cases("randn.json"), golden;
  for (const Json& c : all)
    if (c["seed"] == 100 && c["type"] == "f32") golden = c;
  const Json& draw = golden.at("draws").at(0);  // 1000 values: 16 does not divide
  std::vector<float> noise(1000);
  TorchCpuGenerator(100).randn(noise, RandnType::f32);
  ASSERT_TRUE(deviation(noise, draw) <= 1e-6);

  std::vector<float> no_overlap = noise, longer(1008);
  TorchCpuGenerator(100).randn(longer, RandnType::f32);
  std::copy(longer.begin() + 992, longer.begin() + 1000, no_overlap.begin() + 992);
  EXPECT_FALSE(deviation(no_overlap, draw) <= 1e-6);

  std::vector<float> swapped = noise;
  std::swap(swapped[300], swapped[301]);
  EXPECT_FALSE(deviation(swapped, draw) <= 1e-6);

  std::vector<float> nan = noise;
  nan[500] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(deviation(nan, draw) <= 1e-6);

  std::vector<float> other_type(1000);
  TorchCpuGenerator(100).randn(other_type, RandnType::f16);
  EXPECT_FALSE(deviation(other_type, draw) <= 1e-6);
}

}  // namespace
}  // namespace hayate
