// Reading a tensor through a function that changes its elements.
#pragma once
#include <functional>

#include "weights/tensor_source.h"

namespace hayate {

// Sees some elements from `first` on, in float32.
using Alter = std::function<void(std::span<float> some, int64_t first)>;

// As TensorSource::read, on all cores, with `alter` called from each. Rounded once, to what is asked for.
void read_altered(const TensorSource&, const std::string& name, Dtype as, std::span<std::byte> out, int64_t first, const Alter& alter);

}  // namespace hayate
