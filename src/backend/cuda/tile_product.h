// Linears and convolutions through our own Hopper kernel.
#pragma once
#include "backend/cuda/fastest.h"

namespace hayate::cuda {

// Whether some variant runs the op, as far as its operands' types, sizes and alignment decide.
bool tiles_take(const Operands&, const Context&);
// Each variant that may be the fastest, as a way.
void add_tile_ways(std::vector<Way>&, const Operands&, const Context&, BindOptions);
// So many parts of an image have sums of columns of their own (BindOptions::y_columns) in what a linear or a convolution of more than single pixels makes.
int column_parts(const Node&);
// By a variant of kernels/product_sm90.h; no function where that does not fit the op.
Launch bind_tile_product(const Operands&, const Context&, BindOptions, int variant);

// Of fewer rows a norm takes little time, and there are too few tiles for a GPU: the library's products are faster.
constexpr int64_t kFewRows = 256;

}  // namespace hayate::cuda
