// cuDNN's graph API in a few classes: tensors, operations, plans.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "backend/cuda/context.h"
#include "backend/cuda/status.h"

namespace hayate::cuda {

// cuDNN does not take a problem: another way must be found.
struct CudnnRefused {};

// One of cuDNN's descriptors; copies share it.
class CudnnDescriptor {
 public:
  explicit CudnnDescriptor(cudnnBackendDescriptorType_t);
  void* get() const { return handle_.get(); }

  template <class V>
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::span<const V> values) {
    accept(set_raw(name, type, int64_t(values.size()), values.data()));
    return *this;
  }
  template <class V>
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, V value) {
    return set(name, type, std::span<const V>(&value, 1));
  }
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, const CudnnDescriptor& other) {
    return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, other.get());
  }

  // Whether cuDNN accepts the description; complete() throws CudnnRefused where it does not.
  cudnnStatus_t finalize() const;
  void complete() const { accept(finalize()); }
  cudnnStatus_t set_raw(cudnnBackendAttributeName_t, cudnnBackendAttributeType_t, int64_t count, const void*) const;
  cudnnStatus_t get_raw(cudnnBackendAttributeName_t, cudnnBackendAttributeType_t, int64_t count, int64_t* found, void*) const;

 private:
  static void accept(cudnnStatus_t);

  std::shared_ptr<void> handle_;
};

// A tensor (n, c, h, w) of the graph in channels-last memory; `id` names its address at run time.
struct CudnnTensor {
  int64_t id = 0;
  Dtype dtype = Dtype::f32;
  Shape shape = {};
  int64_t row_stride = 0;  // elements between pixels
  const void* data = nullptr;
  bool intermediate = false;  // exists only within the plan
  CudnnDescriptor descriptor() const;
};

struct CudnnPlan {
  CudnnDescriptor plan;
  int64_t workspace;
};

// Engine configurations for the operations, best first, without those that would compile code at run time, that depend on the
// order of events, or (with `exact`) that round float32 to less.
std::vector<CudnnDescriptor> cudnn_engines(const Context&, const std::vector<CudnnDescriptor>& operations, bool exact);
// Nothing if the engine does not take the problem after all.
std::shared_ptr<CudnnPlan> cudnn_plan(const Context&, const CudnnDescriptor& engine);
cudnnStatus_t cudnn_run(const Context&, const CudnnPlan&, const std::vector<int64_t>& ids, const std::vector<void*>& data, void* workspace);

}  // namespace hayate::cuda
