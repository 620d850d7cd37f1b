// Which error of a library is which kind of hayate::Error.
#include "backend/cuda/status.h"

#include "backend/cuda/libraries.h"
#include "core/error.h"

namespace hayate::cuda {

namespace {
ErrorKind kind_of(cudaError_t e) {
  switch (e) {
    case cudaErrorMemoryAllocation: return ErrorKind::out_of_memory;
    case cudaErrorNoDevice:
    case cudaErrorInsufficientDriver:
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorUnsupportedPtxVersion:
    case cudaErrorSystemDriverMismatch:
    case cudaErrorCompatNotSupportedOnDevice:
    case cudaErrorInvalidDevice:
    case cudaErrorStubLibrary: return ErrorKind::unsupported;
    default: return ErrorKind::internal;
  }
}
}  // namespace

void check(cudaError_t e, const char* what) {
  if (e == cudaSuccess) return;
  cudaGetLastError();  // a sticky error stays; any other must not surface at a later call
  fail(kind_of(e), "{}: {} ({})", what, cudaGetErrorString(e), cudaGetErrorName(e));
}

void check(cublasStatus_t s, const char* what) {
  if (s == CUBLAS_STATUS_SUCCESS) return;
  ErrorKind kind = s == CUBLAS_STATUS_ALLOC_FAILED ? ErrorKind::out_of_memory : ErrorKind::internal;
  fail(kind, "{}: cuBLASLt status {} ({})", what, int(s), cublas_lt().GetStatusString(s));
}

void check(cudnnStatus_t s, const char* what) {
  if (s == CUDNN_STATUS_SUCCESS) return;
  ErrorKind kind = s == CUDNN_STATUS_ALLOC_FAILED ? ErrorKind::out_of_memory : ErrorKind::internal;
  fail(kind, "{}: cuDNN status {} ({})", what, int(s), cudnn().GetErrorString(s));
}

}  // namespace hayate::cuda
