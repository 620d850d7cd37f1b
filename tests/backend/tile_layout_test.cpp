// Index arithmetic of the Hopper kernels, on the host.
#include <gtest/gtest.h>

#include <set>

#include "backend/cuda/kernels/tile_layout.h"

namespace hayate::cuda {
namespace {

// The copy engine's rule, on addresses.
int crossed(int address, int bits) { return address ^ ((address >> 7 & ((1 << bits) - 1)) << 4); }

TEST(TileLayout, SwizzleIsTheCopyEngines) {
  for (int row = 0; row < 64; ++row) {
    for (int piece = 0; piece < 4; ++piece) EXPECT_EQ(swizzled<64>(row, piece), crossed(row * 64 + piece * 16, 2)) << row << " " << piece;
    for (int piece = 0; piece < 8; ++piece) EXPECT_EQ(swizzled<128>(row, piece), crossed(row * 128 + piece * 16, 3)) << row << " " << piece;
  }
}

template <int RowBytes>
void expect_no_conflicts() {
  for (int first = 0; first < 64; first += 8)
    for (int piece = 0; piece < RowBytes / 16; ++piece) {
      std::set<int> banks;
      for (int row = first; row < first + 8; ++row) banks.insert(swizzled<RowBytes>(row, piece) / 16 % 8);
      EXPECT_EQ(banks.size(), 8u) << "rows from " << first << ", piece " << piece;
    }
}
TEST(TileLayout, EightRowsLieInDifferentBanks) {
  expect_no_conflicts<64>();
  expect_no_conflicts<128>();
}

// Four warps store 64 rows of 32 columns, two groups of 16 columns each: every piece once, each where its element belongs.
TEST(TileLayout, StoresCoverABox) {
  std::set<int> offsets;
  for (int warp = 0; warp < 4; ++warp)
    for (int pair = 0; pair < 2; ++pair)
      for (int lane = 0; lane < 32; ++lane) {
        // Matrix lane / 8 is, in the order of the instruction, tile / 2 right and tile % 2 down; the lane gives its row lane % 8.
        int matrix = lane / 8, down = matrix % 2, right = matrix / 2;
        EXPECT_EQ(matrices_row(lane), down * 8 + lane % 8);
        EXPECT_EQ(matrices_piece(lane), right);
        offsets.insert(swizzled<64>(warp * 16 + matrices_row(lane), pair * 2 + matrices_piece(lane)));
      }
  EXPECT_EQ(offsets.size(), 64u * 4);
  EXPECT_EQ(*offsets.rbegin(), 64 * 64 - 16);
}

TEST(TileLayout, InterleavingIsAPermutationThatPairsHalves) {
  constexpr int half = 40;
  std::set<long long> rows;
  for (int r = 0; r < 2 * half; ++r) {
    rows.insert(interleaved_row(r, half));
    if (r % 16 < 8) {
      EXPECT_EQ(interleaved_row(r + 8, half), interleaved_row(r, half) + half);
    }
  }
  EXPECT_EQ(rows.size(), size_t(2 * half));
  EXPECT_EQ(*rows.rbegin(), 2 * half - 1);
}

TEST(TileLayout, BoxesCoverImagesOnce) {
  constexpr int w = 13, h = 9, images = 3, box_w = 8, box_h = 8, boxes_w = 2, boxes_h = 2;
  std::set<std::tuple<int, int, int>> pixels;
  for (int box = 0; box < boxes_w * boxes_h * images; ++box) {
    BoxPlace p = box_place(box, boxes_w, boxes_h, box_w, box_h);
    for (int y = p.y; y < p.y + box_h; ++y)
      for (int x = p.x; x < p.x + box_w; ++x)
        if (x < w && y < h) {
          EXPECT_TRUE(pixels.insert({x, y, p.image}).second);
        }
  }
  EXPECT_EQ(pixels.size(), size_t(w * h * images));
  EXPECT_EQ(box_place(boxes_w * boxes_h * images, boxes_w, boxes_h, box_w, box_h).image, images);  // past the end
}

}  // namespace
}  // namespace hayate::cuda
