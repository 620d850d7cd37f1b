// Attention through our own Hopper kernel.
#pragma once
#include "backend/cuda/fastest.h"

namespace hayate::cuda {

bool tiles_take_attention(const Operands&, const Context&);
// Each variant of it as a way.
void add_tile_attention_ways(std::vector<Way>&, const Context&);
// One launch for each variant of kernels/attention_sm90.h; empty functions where a variant does not fit the op.
std::vector<Launch> bind_tile_attention(const Operands&, const Context&);

}  // namespace hayate::cuda
