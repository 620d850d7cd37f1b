// Enlarging: what is even stays so, weights add up to one, numbers of torch and Pillow.
#include "image/resample.h"

#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <random>

namespace hayate {
namespace {

TEST(Resample, WeightsAddUpToOneAndStayInside) {
  for (auto taps_of : {linear_taps, cubic_taps, nearest_taps, lanczos_taps})
    for (auto [from, to] : {std::pair{1, 1}, {1, 9}, {2, 3}, {7, 12}, {16, 128}, {5, 5}, {9, 4}}) {
      const std::vector<Taps> taps = taps_of(from, to);
      ASSERT_EQ(taps.size(), size_t(to));
      for (const Taps& t : taps) {
        EXPECT_GE(t.first, 0);
        EXPECT_LE(t.first + int64_t(t.weights.size()), from);
        EXPECT_NEAR(std::accumulate(t.weights.begin(), t.weights.end(), 0.0), 1, 1e-6);
      }
    }
}

TEST(Resample, TheSameSizeIsTheSamePicture) {
  std::mt19937 random{4};
  Image image{.width = 7, .height = 5, .rgb = std::vector<uint8_t>(105)};
  for (uint8_t& v : image.rgb) v = uint8_t(random());
  for (auto taps_of : {linear_taps, cubic_taps, nearest_taps, lanczos_taps}) EXPECT_EQ(resampled(image, taps_of(5, 5), taps_of(7, 7)).rgb, image.rgb);
}

TEST(Resample, SidesAndChannelsStayApart) {
  // 1 row, 2 columns, 2 channels: torch.nn.functional.interpolate(mode="bilinear") to 2x4.
  const std::vector<float> found = resampled(std::vector<float>{0, 10, 4, 30}, 2, 2, linear_taps(1, 2), linear_taps(2, 4));
  EXPECT_EQ(found, (std::vector<float>{0, 10, 1, 15, 3, 25, 4, 30, 0, 10, 1, 15, 3, 25, 4, 30}));
}

TEST(Resample, EqualsTorchAndPillow) {
  const std::vector<float> line = {10, 200, 30, 250};
  auto expect_line = [&](const std::vector<Taps>& taps, const std::vector<float>& expected) {
    const std::vector<float> found = resampled(line, 4, 1, linear_taps(1, 1), taps);
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found.at(i), expected[i], 1e-4) << i;
  };
  expect_line(linear_taps(4, 7), {10, 77.8571548461914f, 186.42857360839844f, 114.9999771118164f, 45.71432876586914f, 171.42860412597656f, 250});
  expect_line(cubic_taps(4, 7), {-8.851123809814453f, 85.19589233398438f, 196.98158264160156f, 112.18748474121094f, 34.734947204589844f, 164.5818328857422f, 271.82763671875f});
  expect_line(nearest_taps(4, 7), {10, 10, 200, 30, 30, 250, 250});
  Image grey{.width = 4, .height = 1, .rgb = {}};
  for (float v : line) grey.rgb.insert(grey.rgb.end(), 3, uint8_t(v));
  const Image larger = resampled(grey, lanczos_taps(1, 1), lanczos_taps(4, 7));
  for (size_t i = 0; i < 7; ++i) EXPECT_EQ(larger.rgb[3 * i], (std::array{0, 82, 197, 111, 35, 170, 255}[i]));
}

TEST(Resample, LanczosOvershootIsCutOff) {
  Image edge{.width = 8, .height = 1, .rgb = {}};
  for (int i = 0; i < 8; ++i) edge.rgb.insert(edge.rgb.end(), 3, i < 4 ? 0 : 255);
  const Image large = resampled(edge, lanczos_taps(1, 1), lanczos_taps(8, 32));
  for (int x = 0; x < 32; ++x) EXPECT_EQ(large.rgb[size_t(x * 3)] < 128, x < 16) << x;
}

}  // namespace
}  // namespace hayate
