// The launch of relu, apart from kernels.h: nothing is fused with it.
#pragma once
#include "backend/cuda/kernels/kernels.h"

namespace hayate::cuda {

void launch_relu(cudaStream_t, Matrix y, Matrix x);  // of one type

}  // namespace hayate::cuda
