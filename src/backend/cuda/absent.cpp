// The CUDA backend of a build without CUDA.
#include "backend/backend.h"
#include "core/error.h"

namespace hayate {

namespace {
constexpr const char* kWhy = "this build of hayate has no CUDA backend: no CUDA compiler was found when it was configured";
}

std::shared_ptr<Backend> make_cuda_backend(const CudaOptions&) { fail(ErrorKind::unsupported, "{}", kWhy); }
std::vector<CudaDevice> cuda_devices(std::string& why) {
  why = kWhy;
  return {};
}

}  // namespace hayate
