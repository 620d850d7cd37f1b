// By the runtime's own lookup.
#include "backend/cuda/driver.h"

#include <cuda_runtime_api.h>

#include "backend/cuda/status.h"
#include "core/error.h"

namespace hayate::cuda {

void* driver_function(const char* name) {
  void* function = nullptr;
  cudaDriverEntryPointQueryResult found{};
  check(cudaGetDriverEntryPointByVersion(name, &function, 12000, cudaEnableDefault, &found), "looking for a function of the driver");
  require(found == cudaDriverEntryPointSuccess && function, ErrorKind::unsupported, "the NVIDIA driver has no {}: it is too old", name);
  return function;
}

void check_driver(CUresult r, const char* what) {
  require(r != CUDA_ERROR_OUT_OF_MEMORY, ErrorKind::out_of_memory, "{}: the GPU has no memory left", what);
  require(r == CUDA_SUCCESS, ErrorKind::internal, "{}: driver error {}", what, int(r));
}

}  // namespace hayate::cuda
