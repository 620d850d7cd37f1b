// Parts of a picture replaced by the colours around them.
#include "image/surroundings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

namespace hayate {
namespace {

constexpr int kWidth = 60, kHeight = 40;

template <class Colour>
Image image_of(Colour colour) {
  Image image{.width = kWidth, .height = kHeight, .rgb = {}};
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x)
      for (int v : colour(x, y)) image.rgb.push_back(uint8_t(v));
  return image;
}
using Rgb = std::array<int, 3>;

bool hidden(int x, int y) { return x >= 20 && x < 40 && y >= 5 && y < 35; }
Image mask() {
  return image_of([](int x, int y) { return Rgb{hidden(x, y) ? 255 : 0, hidden(x, y) ? 255 : 0, hidden(x, y) ? 255 : 0}; });
}
Image noise(uint32_t seed) {
  std::mt19937 random{seed};
  return image_of([&](int, int) { return Rgb{int(random() % 256), int(random() % 256), int(random() % 256)}; });
}

TEST(Surroundings, WhatIsKeptStaysToTheByteAndWhatIsHiddenIsNotSeen) {
  const Image a = noise(1), b = noise(2);
  const Image mixed = image_of([&](int x, int y) {
    const uint8_t* from = &(hidden(x, y) ? b : a).rgb[size_t(y * kWidth + x) * 3];
    return Rgb{from[0], from[1], from[2]};
  });
  const Image filled = filled_from_around(a, mask());
  EXPECT_EQ(filled.rgb, filled_from_around(mixed, mask()).rgb);
  const Image hides = mask();
  for (size_t i = 0; i < filled.rgb.size(); ++i) ASSERT_TRUE(hides.rgb[i] || filled.rgb[i] == a.rgb[i]) << i;
}

TEST(Surroundings, ColoursAreThoseThatAreNear) {
  const Image plain = image_of([](int x, int y) { return hidden(x, y) ? Rgb{0, 0, 0} : Rgb{200, 100, 50}; });
  const Image filled = filled_from_around(plain, mask());
  for (size_t i = 0; i < filled.rgb.size(); ++i) ASSERT_NEAR(filled.rgb[i], i % 3 == 0 ? 200 : i % 3 == 1 ? 100 : 50, 1) << i;

  const Image two = image_of([](int x, int) { return x < kWidth / 2 ? Rgb{250, 0, 0} : Rgb{0, 0, 250}; });
  const Image between = filled_from_around(two, mask());
  auto at = [&](int x, size_t channel) { return int(between.rgb[size_t(kHeight / 2 * kWidth + x) * 3 + channel]); };
  EXPECT_GT(at(21, 0), 200);
  EXPECT_GT(at(38, 2), 200);
  EXPECT_NEAR(at(kWidth / 2, 0), at(kWidth / 2, 2), 30);
  for (int x = 21; x < 39; ++x) EXPECT_LE(at(x, 0), at(x - 1, 0)) << x;
}

TEST(Surroundings, AGreyMaskMixesAndAWhiteOneLeavesNothing) {
  const Image picture = image_of([](int x, int) { return x < kWidth / 2 ? Rgb{0, 0, 0} : Rgb{200, 200, 200}; });
  Image grey = mask();
  for (uint8_t& v : grey.rgb) v = v / 2;
  const Image half = filled_from_around(picture, grey), whole = filled_from_around(picture, mask());
  const size_t near_edge = size_t(kHeight / 2 * kWidth + kWidth / 2 - 1) * 3;
  EXPECT_GT(half.rgb[near_edge], 0);
  EXPECT_LT(half.rgb[near_edge], whole.rgb[near_edge]);
  const Image white = image_of([](int, int) { return Rgb{255, 255, 255}; });
  EXPECT_TRUE(std::ranges::all_of(filled_from_around(noise(3), white).rgb, [](uint8_t v) { return v == 0; }));
}

}  // namespace
}  // namespace hayate
