// The fastest of several ways to run an op, by measurement.
#pragma once
#include "backend/cuda/context.h"

namespace hayate::cuda {

// Binds the op at the operands' addresses; no function where this way does not take it.
using Way = std::function<Launch(const Operands&)>;

// Each way is measured on random operands of the same shape, types and strides; without measurement the first that takes the op is it.
// `what` tells apart what the operands do not.
Launch bind_fastest(const Operands&, const Context&, const std::vector<Way>&, const std::string& what = "");

// Of an op of a program alone, on random operands: measured once for all ops of its kind, then remembered.
double seconds_alone(const Program&, const Node&, const Context&);

}  // namespace hayate::cuda
