// Attention on Hopper with heads of 64 columns: what the kernel is given.
#pragma once
#include <cuda.h>
#include <cuda_runtime_api.h>

#include "core/dtype.h"

namespace hayate::cuda {

// q, k, v and y are seen as (columns of all heads, tokens, images). Boxes: 64 columns of 64 tokens for q and y, of `tile` tokens for k and v.
struct TileAttention {
  CUtensorMap q, k, v, y;
  const float* y_scale;  // of a result in float8, whose rows' scales lie behind them; else null
  float* y_scales;
  int images, heads, queries, keys;
  float scale;
  int tile;  // keys at a time: 128, or 80 where that is all
};
constexpr int kTileHead = 64;
void launch_tile_attention(cudaStream_t, const TileAttention&, Dtype);

}  // namespace hayate::cuda
