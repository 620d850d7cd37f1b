// cuBLASLt and cuDNN, loaded when a GPU is first used: a program built with CUDA runs on machines without them.
#pragma once
#include <cublasLt.h>
#include <cudnn_graph.h>

namespace hayate::cuda {

// Functions of one library, named as there without its prefix. Each entry has the type that the library's header declares.
#define HAYATE_CUBLASLT_FUNCTIONS(X)                                                                                            \
  X(Create) X(Destroy) X(GetVersion) X(GetStatusString) X(Matmul) X(MatmulAlgoGetHeuristic) X(MatmulDescCreate)                \
  X(MatmulDescDestroy) X(MatmulDescSetAttribute) X(MatrixLayoutCreate) X(MatrixLayoutDestroy) X(MatrixLayoutSetAttribute)      \
  X(MatmulPreferenceCreate) X(MatmulPreferenceDestroy) X(MatmulPreferenceSetAttribute)

#define HAYATE_CUDNN_FUNCTIONS(X)                                                                                               \
  X(Create) X(Destroy) X(SetStream) X(GetVersion) X(GetErrorString) X(BackendCreateDescriptor) X(BackendDestroyDescriptor)     \
  X(BackendFinalize) X(BackendSetAttribute) X(BackendGetAttribute) X(BackendExecute)

struct CublasLt {
#define X(name) decltype(&::cublasLt##name) name;
  HAYATE_CUBLASLT_FUNCTIONS(X)
#undef X
};

struct Cudnn {
#define X(name) decltype(&::cudnn##name) name;
  HAYATE_CUDNN_FUNCTIONS(X)
#undef X
};

// Loaded on first use; Error(unsupported) names the library and why it did not load.
const CublasLt& cublas_lt();
const Cudnn& cudnn();

}  // namespace hayate::cuda
