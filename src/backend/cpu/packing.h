// Weights in the layout that oneDNN's fastest implementation reads.
#pragma once
#include "backend/cpu/primitive.h"

namespace hayate::cpu {

// Weights of linear are (1, 1, out, in), of conv2d (out, kh, kw, in).
Layout plain_layout(Op consumer, const Shape& weight, Dtype);
Layout any_layout(Op consumer, const Shape& weight, Dtype);
// Chosen for a typical size from the weight alone, so that any number of rows and any image size can use it.
Layout packed_layout(const Context&, Op consumer, const Shape& weight, Dtype);
// A pack op does not know its consumer: the shape tells.
inline Op consumer_of(const Shape& weight) { return weight.n > 1 || weight.h > 1 ? Op::conv2d : Op::linear; }

// Whether packing in[1] changes its layout into one that more than plain loops can read.
bool gains_from_packing(const Context&, const Program&, const Node& consumer);

}  // namespace hayate::cpu
