// dlopen by the name that the headers' version has.
#include "backend/cuda/libraries.h"

#include <dlfcn.h>

#include <string>

#include "core/error.h"

namespace hayate::cuda {

namespace {
// Stays open for the life of the process: both libraries keep state that must not be unloaded under a running driver.
class Library {
 public:
  explicit Library(const std::string& name) : name_(name), handle_(dlopen(name.c_str(), RTLD_NOW | RTLD_GLOBAL)) {
    const char* why = handle_ ? nullptr : dlerror();
    require(handle_, ErrorKind::unsupported, "the GPU needs {}, which does not load: {}", name, why ? why : "no reason given");
  }
  template <class F>
  void find(const char* symbol, F*& function) const {
    function = reinterpret_cast<F*>(dlsym(handle_, symbol));
    require(function, ErrorKind::unsupported, "{} has no function {}: it is older than this build needs", name_, symbol);
  }

 private:
  std::string name_;
  void* handle_;
};

CublasLt load_cublas_lt() {
  Library library("libcublasLt.so." + std::to_string(CUBLAS_VER_MAJOR));
  CublasLt table{};
#define X(name) library.find("cublasLt" #name, table.name);
  HAYATE_CUBLASLT_FUNCTIONS(X)
#undef X
  return table;
}

Cudnn load_cudnn() {
  Library library("libcudnn.so." + std::to_string(CUDNN_MAJOR));
  Cudnn table{};
#define X(name) library.find("cudnn" #name, table.name);
  HAYATE_CUDNN_FUNCTIONS(X)
#undef X
  return table;
}
}  // namespace

const CublasLt& cublas_lt() {
  static const CublasLt table = load_cublas_lt();
  return table;
}

const Cudnn& cudnn() {
  static const Cudnn table = load_cudnn();
  return table;
}

}  // namespace hayate::cuda
