// Whether a component's tensors are those that its programs read.
#pragma once
#include <string>
#include <vector>

#include "program/program.h"
#include "weights/tensor_source.h"

namespace hayate {

// Whether a tensor of these dims becomes a Program's weight of this shape: (c), (rows, c), or (out, in, kh, kw) with channels last.
bool fits(const std::vector<int64_t>& dims, const Shape&);

// Error(bad_model) that lists the tensors (the first 20) that the `needed` programs lack, have in another shape, or that neither they nor
// the `allowed` ones read; it says what the tensors look like. Error(unsupported) for one that is no weight (integers). `what` names
// the component.
void check_tensors(const TensorSource&, const std::vector<Program>& needed, const std::vector<Program>& allowed, const std::string& what);

}  // namespace hayate
