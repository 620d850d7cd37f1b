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
  int tile;  // keys at a time, one of kAttentionTiles
};
constexpr int kTileHead = 64;
constexpr int kAttentionTiles[] = {128, 80};  // with fewer, more blocks are at work at once, and a short last tile wastes less
void launch_tile_attention(cudaStream_t, const TileAttention&, Dtype);

}  // namespace hayate::cuda
