// What a layer norm's vectors become in the linear behind it (passes/fuse_layer_norm), in the type of y. Types may differ.
#pragma once
#include "backend/cuda/kernels/kernels.h"

namespace hayate::cuda {

void launch_scale_columns(cudaStream_t, Matrix y, Matrix w, const float* factors);
// y[r] = row r of w times v, and b[r] if there is one, in the order of program/row_dot.h.
void launch_row_dots(cudaStream_t, float* y, Matrix w, const float* v, const float* b);

}  // namespace hayate::cuda
