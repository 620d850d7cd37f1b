// Each shape of linear in a program, measured on its own on the rungs of 8 bits.
#pragma once
#include "hayate/quantization.h"
#include "pipeline/component.h"

namespace hayate {

// Times are the device's, of random data; errors are those of the first linear of each shape, with its own weights and normal random x, on the
// device or, for a type that it does not have, on the reference backend. In the order of the most arithmetic.
std::vector<LinearShape> measure_linears(const std::function<Program()>& record, std::shared_ptr<const TensorSource>, const Compiler&);

}  // namespace hayate
