// Variation seeds: noise on its way to other noise.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/expect_error.h"
#include "hayate/hayate.h"
#include "pipeline/latent_noise.h"

namespace hayate {
namespace {

constexpr int64_t kChannels = 4, kHeight = 6, kWidth = 5;
LatentNoise noise_of(std::vector<uint64_t> seeds) { return {seeds, Noise::torch_cpu, false, kChannels, kHeight, kWidth}; }

TEST(VariationSeed, TurnsEachColumnOfEachChannel) {
  LatentNoise first = noise_of({1, 2}), second = noise_of({7, 8});
  const std::vector<float> a = noise_of({1, 2}).draw(), b = noise_of({7, 8}).draw();
  const std::vector<float> mixed = first.draw_varied(second, std::vector<float>{0.0f, 0.3f});
  ASSERT_EQ(mixed.size(), a.size());
  const size_t each = a.size() / 2, line = size_t(kWidth * kChannels);
  for (size_t i = 0; i < each; ++i) EXPECT_EQ(mixed[i], a[i]);
  for (size_t column = 0; column < line; ++column) {
    double dot = 0, of_a = 0, of_b = 0;
    for (size_t y = 0; y < size_t(kHeight); ++y) {
      const size_t i = each + y * line + column;
      dot += double(a[i]) * b[i], of_a += double(a[i]) * a[i], of_b += double(b[i]) * b[i];
    }
    const double angle = std::acos(dot / std::sqrt(of_a * of_b));
    for (size_t y = 0; y < size_t(kHeight); ++y) {
      const size_t i = each + y * line + column;
      EXPECT_NEAR(mixed[i], (std::sin(0.7 * angle) * a[i] + std::sin(0.3 * angle) * b[i]) / std::sin(angle), 1e-5);
    }
  }
}

Request request(uint64_t seed, uint64_t variation, float strength) {
  Request r;
  r.pictures = {{.prompt = "a castle", .seed = seed, .variation_seed = variation, .variation_strength = strength}};
  r.width = 48, r.height = 64, r.steps = 2;
  return r;
}

TEST(VariationSeed, LeadsFromOnePictureToTheOther) {
  Pipeline pipeline({.model = HAYATE_SOURCE_DIR "/tests/data/parity/tiny-sdxl", .rung = "fp32"});
  auto draw = [&](uint64_t seed, uint64_t variation, float strength) { return pipeline.generate(request(seed, variation, strength)).latents; };
  auto distance = [](const std::vector<float>& a, const std::vector<float>& b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += (double(a[i]) - double(b[i])) * (double(a[i]) - double(b[i]));
    return std::sqrt(sum);
  };
  const std::vector<float> from = draw(3, 0, 0), to = draw(4, 0, 0);
  EXPECT_EQ(draw(3, 4, 0), from);
  EXPECT_LE(distance(draw(3, 4, 1), to), 1e-3 * distance(from, to));
  const std::vector<float> near = draw(3, 4, 0.2f);
  EXPECT_LT(distance(near, from), distance(near, to));
  EXPECT_GT(distance(near, from), 0.01 * distance(from, to));
  for (float strength : {-0.1f, 1.5f, NAN}) expect_error(ErrorKind::usage, {"variation_strength"}, [&] { draw(3, 4, strength); });
}

}  // namespace
}  // namespace hayate
