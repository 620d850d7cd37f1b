// Linear and convolution as one implicit product on Hopper: what the kernel is given, and which variants there are.
#pragma once
#include <cuda.h>
#include <cuda_runtime_api.h>

#include "core/dtype.h"

namespace hayate::cuda {

// Results come in boxes of 64 pixels, box_w x box_h of one image; a tile is one or two of them for each of two warpgroups, and
// `columns` rows of the weight. x, y and residual are seen as (channels, w, h, images), the weight as (channels, taps, rows).
// A convolution that enlarges (ConvAttr::upsample) is four over the same x, its phases: each with rows of the weight and a y of its own, every
// other pixel of every other line; that of phase 2 p + q is padded by p less above and by q less on the left.
constexpr int kPhases = 4;
struct TileProduct {
  CUtensorMap x, w, y[kPhases], residual;
  int phases;  // 1 or kPhases
  const float* bias;           // one per column, or null
  const void* image_residual;  // one row per image, or null
  int64_t image_residual_stride;
  bool has_residual;
  // Each row of x is normalised: from its sums (launch_row_moments) and those of the weight's rows. Null: not. Linears only.
  const float2* x_moments;
  int x_parts;
  float inverse_inner, eps;  // 1 / columns of x
  const float* x_scales;     // of rows of x, where the factors have eight bits
  int64_t image_scales;      // > 0: of an image only the first counts, and those of the next are so many further
  int weight_stride;         // from weight_rows of one row of the weight to those of the next
  const float* y_scale;      // of a result in float8 (gated linears), whose rows' scales lie behind them
  float* y_scales;
  const float* weight_rows;  // sums of the weight's rows where x is normalised, their scales where they have eight bits, else null
  float2* y_moments;  // of the result, likewise, or null
  int y_parts;
  float2* y_columns;  // sums of the result's columns (ColumnSums), a part for each box of an image and phase, or null
  int taps, taps_w, stride, pad;
  int chunks;  // of kChunkBytes of channels
  int box_w, box_h, boxes_w, boxes_h, images;
  int line, lines;  // pixels of y in a line: all of an image where x is normalised or y summed; lines of an image
  int columns;  // of y
  int split;    // blocks that share a tile, each with a part of the inner dimension; 1 but in a variant that splits
};
constexpr int kChunkBytes = 128, kBoxPixels = 64, kStoreBytes = 64;  // of one box of x or the weight; of x and y; of y: columns

struct TileVariant {
  int rows, columns;  // of a tile: pixels, rows of the weight
  bool geglu;         // y = left half * gelu(right half); eight rows of the weight for each in turn
  int most_split;     // for products with too few tiles to fill a GPU
};
constexpr TileVariant kTileVariants[] = {{128, 256, false, 1}, {128, 160, false, 1}, {256, 128, false, 1}, {128, 128, false, 1}, {128, 256, true, 1},
                                         {128, 128, true, 1},  {128, 128, false, 4}, {128, 160, false, 2}};
constexpr int kTileVariantCount = int(sizeof kTileVariants / sizeof kTileVariants[0]);
// Of a result of so many boxes of pixels, columns and phases.
constexpr int tiles_of(int boxes, int columns, int phases, const TileVariant& v) {
  int rows = v.geglu ? 2 * columns : columns, boxes_each = v.rows / kBoxPixels;
  return (boxes + boxes_each - 1) / boxes_each * ((rows + v.columns - 1) / v.columns) * phases;
}
inline int tiles_of(const TileProduct& p, const TileVariant& v) { return tiles_of(p.boxes_w * p.boxes_h * p.images, p.columns, p.phases, v); }
// Of factors of type `factor`, to a 16-bit result, or (gated, of float8) one in float8.
void launch_tile_product(cudaStream_t, const TileProduct&, Dtype factor, Dtype result, int variant, int multiprocessors);
// The same, a file for each kind of factors, so that they compile side by side.
void launch_wide_product(cudaStream_t, const TileProduct&, Dtype result, int variant, int multiprocessors);
void launch_int8_product(cudaStream_t, const TileProduct&, Dtype result, int variant, int multiprocessors);
void launch_float8_product(cudaStream_t, const TileProduct&, Dtype result, int variant, int multiprocessors);

}  // namespace hayate::cuda
