// The blur of maps, against a Gaussian that is summed up.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "image/pixels.h"

namespace hayate {
namespace {

TEST(Blur, IsNearlyAGaussian) {
  for (double deviation : {2.0, 5.3}) {
    constexpr int size = 81;
    std::vector<float> map(size * size);
    map[size / 2 * size + size / 2] = 1;
    blur(map, size, size, deviation);
    double worst = 0, sum = 0, second = 0;
    for (int y = 0; y < size; ++y)
      for (int x = 0; x < size; ++x) {
        const double dx = x - size / 2, dy = y - size / 2, value = double(map[size_t(y * size + x)]);
        const double gaussian = std::exp(-(dx * dx + dy * dy) / (2 * deviation * deviation)) / (2 * M_PI * deviation * deviation);
        worst = std::max(worst, std::abs(value - gaussian));
        sum += value, second += value * dx * dx;
      }
    EXPECT_LE(worst, 0.14 / (2 * M_PI * deviation * deviation)) << deviation;  // of the peak
    EXPECT_NEAR(sum, 1, 1e-4);
    EXPECT_NEAR(second, deviation * deviation, 2e-3 * deviation * deviation);
  }
}

TEST(Blur, KeepsWhatIsEvenUpToTheEdges) {
  std::vector<float> map(7 * 3, 0.3f), before = map;
  blur(map, 7, 3, 0);
  EXPECT_EQ(map, before);
  blur(map, 7, 3, 50);
  for (float v : map) EXPECT_NEAR(v, 0.3f, 1e-4);
}

}  // namespace
}  // namespace hayate
