// Windows of pictures, and pictures of one shape in another.
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "image/pixels.h"

namespace hayate {
namespace {

// Red tells the column, green the line.
Image gradient(int width, int height) {
  Image image{.width = width, .height = height, .rgb = {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) image.rgb.insert(image.rgb.end(), {uint8_t(x * 10), uint8_t(y * 10), 7});
  return image;
}
int red(const Image& i, int x, int y) { return i.rgb[size_t((y * i.width + x) * 3)]; }
int green(const Image& i, int x, int y) { return i.rgb[size_t((y * i.width + x) * 3 + 1)]; }

TEST(Window, GoesOnBeyondTheEdges) {
  const Image part = window(gradient(5, 4), 3, -2, 4, 3);
  ASSERT_EQ(part.rgb.size(), 4u * 3 * 3);
  EXPECT_EQ(red(part, 0, 0), 30);
  EXPECT_EQ(red(part, 1, 0), 40);
  EXPECT_EQ(red(part, 3, 0), 40);  // the last column again
  EXPECT_EQ(green(part, 0, 0), 0);
  EXPECT_EQ(green(part, 0, 2), 0);
}

TEST(Fit, KeepsTheMiddle) {
  const Image wide = gradient(16, 8);
  const Image cropped = fitted(wide, 8, 8, Fit::crop);
  EXPECT_EQ(red(cropped, 0, 0), 40);
  EXPECT_EQ(red(cropped, 7, 3), 110);
  EXPECT_EQ(green(cropped, 3, 7), 70);
  const Image filled = fitted(wide, 16, 12, Fit::fill);
  ASSERT_EQ(filled.rgb.size(), 16u * 12 * 3);
  EXPECT_EQ(red(filled, 9, 0), 90);
  for (auto [y, line] : {std::pair{0, 0}, {1, 0}, {2, 0}, {3, 10}, {9, 70}, {11, 70}}) EXPECT_EQ(green(filled, 5, y), line) << y;
}

TEST(Fit, StretchesOrKeepsWhatFits) {
  const Image wide = gradient(16, 8);
  EXPECT_EQ(fitted(wide, 8, 8, Fit::stretch).rgb, resized(wide, 8, 8).rgb);
  for (Fit fit : {Fit::crop, Fit::fill}) EXPECT_EQ(fitted(wide, 8, 4, fit).rgb, resized(wide, 8, 4).rgb);
}

TEST(Fit, ALineDoesNotBecomeHuge) {
  const Image line = gradient(1, 25);
  EXPECT_EQ(fitted(line, 64, 64, Fit::fill).rgb.size(), 64u * 64 * 3);
  EXPECT_THROW(fitted(line, 4096, 4096, Fit::crop), Error);
  expect_error(ErrorKind::usage, {"16000x16000", "134217728 in all"}, [] { fitted(gradient(9, 9), 16000, 8, Fit::crop); });
  expect_error(ErrorKind::unsupported, {"16384x8", "16383 pixels a side"}, [] { resized(gradient(9, 9), 16384, 8); });
}

}  // namespace
}  // namespace hayate
