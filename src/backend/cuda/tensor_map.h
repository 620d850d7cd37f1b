// Descriptions of tensors for Hopper's copy engine.
#pragma once
#include <cuda.h>

#include <vector>

#include "core/dtype.h"

namespace hayate::cuda {

// 16-bit elements, innermost dimension first and contiguous.
struct BoxedTensor {
  const void* data;
  Dtype dtype;
  std::vector<int64_t> sizes, strides;  // strides in elements, of all dimensions but the first; multiples of 8
  std::vector<int> box;                 // what one copy moves; the first dimension is 64 or 128 bytes, swizzled over as many
  std::vector<int> steps = {};          // take every n-th element of a dimension, `box` elements in all; default: 1
};
CUtensorMap tensor_map(const BoxedTensor&);

}  // namespace hayate::cuda
