// Results of CUDA, cuBLASLt and cuDNN calls as hayate::Error.
#pragma once
#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <cudnn_graph.h>

#include <string>

namespace hayate::cuda {

// Throws when the call did not succeed: out_of_memory for memory, unsupported for no GPU or a driver that is too old, else internal.
// `what` names what was being done.
void check(cudaError_t, const char* what);
void check(cublasStatus_t, const char* what);
void check(cudnnStatus_t, const char* what);

}  // namespace hayate::cuda
