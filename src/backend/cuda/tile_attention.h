// Attention through our own Hopper kernel.
#pragma once
#include "backend/cuda/context.h"

namespace hayate::cuda {

bool tiles_take_attention(const Operands&, const Context&);
Launch bind_tile_attention(const Operands&, const Context&);

}  // namespace hayate::cuda
