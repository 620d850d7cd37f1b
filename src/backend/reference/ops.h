// The definition of correct: every op as obvious loops over float32, sums in double.
#pragma once
#include <vector>

#include "program/program.h"

namespace hayate::reference {

struct Tensor {
  Shape shape;
  std::vector<float> data;
  const float* row(int64_t r) const { return data.data() + r * shape.c; }
  float* row(int64_t r) { return data.data() + r * shape.c; }
};

// `in[k]` is empty where an optional input is absent.
Tensor compute(const Node&, const std::vector<Tensor>& in);

}  // namespace hayate::reference
