// Resizing: what is even stays so, averages are kept, and the same size is the same picture.
#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "hayate/hayate.h"

namespace hayate {
namespace {

Image noise(int width, int height) {
  std::mt19937 random{7};
  Image image{.width = width, .height = height, .rgb = std::vector<uint8_t>(size_t(width) * size_t(height) * 3)};
  for (uint8_t& byte : image.rgb) byte = uint8_t(random());
  return image;
}

TEST(Resize, KeepsColoursAndSizes) {
  Image plain{.width = 5, .height = 3, .rgb = {}};
  for (int i = 0; i < 15; ++i) plain.rgb.insert(plain.rgb.end(), {200, 30, 90});
  for (auto [width, height] : {std::pair{16, 8}, {2, 1}, {5, 9}}) {
    const Image r = resized(plain, width, height);
    ASSERT_EQ(r.rgb.size(), size_t(width * height * 3));
    for (size_t i = 0; i < r.rgb.size(); ++i) EXPECT_NEAR(r.rgb[i], plain.rgb[i % 3], 1);
  }
}

TEST(Resize, AveragesAreas) {
  const Image large = noise(64, 64), small = resized(large, 8, 8);
  for (int y = 0; y < 8; ++y)
    for (int x = 0; x < 8; ++x)
      for (int c = 0; c < 3; ++c) {
        double sum = 0;
        for (int i = 0; i < 64; ++i) sum += large.rgb[size_t(((y * 8 + i / 8) * 64 + x * 8 + i % 8) * 3 + c)];
        EXPECT_NEAR(small.rgb[size_t((y * 8 + x) * 3 + c)], sum / 64, 1.5);
      }
}

TEST(Resize, TheSameSizeIsTheSamePicture) {
  const Image image = noise(13, 7);
  EXPECT_EQ(resized(image, 13, 7).rgb, image.rgb);
}

}  // namespace
}  // namespace hayate
