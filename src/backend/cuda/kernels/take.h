// The launch of take.cu.
#pragma once
#include <cuda_runtime_api.h>

#include <cstdint>

#include "core/dtype.h"

namespace hayate::cuda {

// float32 numbers times `factor`, into rows of `width` of which each takes shape[3].
struct TakeArgs {
  float* to;
  int64_t width;
  const void* from;
  Dtype type;
  int64_t shape[4], strides[4];  // of `from`, in numbers
  float factor;
  int32_t* not_finite;  // becomes 1 if a number is not
};
void launch_take(cudaStream_t, const TakeArgs&);

}  // namespace hayate::cuda
