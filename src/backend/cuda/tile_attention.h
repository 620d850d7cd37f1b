// Attention through our own Hopper kernel.
#pragma once
#include "backend/cuda/fastest.h"

namespace hayate::cuda {

bool tiles_take_attention(const Operands&, const Context&);
// With one of kAttentionTiles, and all that may be the fastest.
Launch bind_tile_attention(const Operands&, const Context&, int tile);
void add_attention_tile_ways(std::vector<Way>&, const Operands&, const Context&);

}  // namespace hayate::cuda
