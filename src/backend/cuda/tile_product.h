// Linears and convolutions through our own Hopper kernel.
#pragma once
#include "backend/cuda/fastest.h"

namespace hayate::cuda {

// Whether some variant runs the op, as far as its operands' types, sizes and alignment decide.
bool tiles_take(const Operands&, const Context&);
// Each variant of it as a way.
void add_tile_ways(std::vector<Way>&, const Context&, BindOptions);
// One launch for each variant of kernels/product_sm90.h; empty functions where a variant does not fit the op.
std::vector<Launch> bind_tile_products(const Operands&, const Context&, BindOptions);

}  // namespace hayate::cuda
