// Tiles cover a picture once, and their windows have one size and room for the halo.
#include "pipeline/tiles.h"

#include <gtest/gtest.h>

namespace hayate {
namespace {

TEST(Tiles, CoverThePictureOnceWithRoomForTheHalo) {
  for (auto [h, w, most, halo] : {std::tuple{1, 1, 4, 2}, {7, 9, 4, 0}, {7, 9, 4, 2}, {64, 5, 16, 3}, {65, 66, 16, 2}, {33, 100, 32, 1}, {3, 3, 1, 1}}) {
    const Shape picture{1, h, w, 8};
    std::vector<int> covered(size_t(h * w), 0);
    const std::vector<Tile> tiles = cut_into_tiles(picture, most, halo);
    for (const Tile& t : tiles) {
      EXPECT_EQ(t.window.height, tiles[0].window.height);
      EXPECT_EQ(t.window.width, tiles[0].window.width);
      EXPECT_LE(t.core.height, most);
      EXPECT_LE(t.core.width, most);
      check(t.window, picture, "window");
      EXPECT_LE(t.window.top, std::max(0, t.core.top - halo));
      EXPECT_LE(t.window.left, std::max(0, t.core.left - halo));
      EXPECT_GE(t.window.top + t.window.height, std::min(h, t.core.top + t.core.height + halo));
      EXPECT_GE(t.window.left + t.window.width, std::min(w, t.core.left + t.core.width + halo));
      EXPECT_LE(t.window.height, most + 2 * halo);
      for (int y = t.core.top; y < t.core.top + t.core.height; ++y)
        for (int x = t.core.left; x < t.core.left + t.core.width; ++x) ++covered.at(size_t(y * w + x));
    }
    EXPECT_EQ(std::count(covered.begin(), covered.end(), 1), h * w) << w << "x" << h;
  }
}

}  // namespace
}  // namespace hayate
