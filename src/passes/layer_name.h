// What a product's layer is called, for patterns and tables.
#pragma once
#include "program/program.h"

namespace hayate {

// Of the weight that `weight`, or the first part of it, is read from: "...attn1.to_q" for stacked queries, keys and values.
std::string layer_name(const Program&, Value weight);

}  // namespace hayate
