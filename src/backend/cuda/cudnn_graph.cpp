// Descriptors, engine choice and execution.
#include "backend/cuda/cudnn_graph.h"

#include <algorithm>

#include "backend/cuda/libraries.h"
#include "core/error.h"

namespace hayate::cuda {

namespace {
cudnnDataType_t type_of(Dtype t) {
  switch (t) {
    case Dtype::f32: return CUDNN_DATA_FLOAT;
    case Dtype::f16: return CUDNN_DATA_HALF;
    case Dtype::bf16: return CUDNN_DATA_BFLOAT16;
    case Dtype::i32: return CUDNN_DATA_INT32;
    case Dtype::i8: return CUDNN_DATA_INT8;
    case Dtype::f8: return CUDNN_DATA_FP8_E4M3;
  }
  return CUDNN_DATA_FLOAT;
}

template <class Note>
std::vector<Note> notes_of(const CudnnDescriptor& engine, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int most) {
  std::vector<Note> notes(static_cast<size_t>(most));
  int64_t count = 0;
  cudnnStatus_t s = engine.get_raw(name, type, most, &count, notes.data());
  notes.resize(s == CUDNN_STATUS_SUCCESS ? size_t(std::min<int64_t>(count, most)) : 0);
  return notes;
}

bool acceptable(const CudnnDescriptor& config, bool exact) {
  CudnnDescriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  int64_t count = 0;
  void* handle = engine.get();
  if (config.get_raw(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &count, &handle) != CUDNN_STATUS_SUCCESS) return false;
  for (auto note :
       notes_of<cudnnBackendBehaviorNote_t>(engine, CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, CUDNN_TYPE_BEHAVIOR_NOTE, CUDNN_BEHAVIOR_NOTE_TYPE_COUNT))
    if (note == CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION) return false;
  for (auto note :
       notes_of<cudnnBackendNumericalNote_t>(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, CUDNN_NUMERICAL_NOTE_TYPE_COUNT)) {
    switch (note) {
      case CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC:
      case CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION: return false;
      case CUDNN_NUMERICAL_NOTE_TENSOR_CORE:
      case CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS:
      case CUDNN_NUMERICAL_NOTE_FFT:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13:
        if (exact) return false;
        break;
      default: break;
    }
  }
  return true;
}

std::vector<CudnnDescriptor> suggestions(const CudnnDescriptor& graph, cudnnBackendHeurMode_t mode) {
  constexpr int kMost = 32;
  CudnnDescriptor heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph).set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, mode);
  if (heuristic.finalize() != CUDNN_STATUS_SUCCESS) return {};
  std::vector<CudnnDescriptor> configs;
  std::vector<void*> handles;
  for (int i = 0; i < kMost; ++i) handles.push_back(configs.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR).get());
  int64_t count = 0;
  if (heuristic.get_raw(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, kMost, &count, handles.data()) != CUDNN_STATUS_SUCCESS)
    return {};
  configs.erase(configs.begin() + std::min<int64_t>(count, kMost), configs.end());
  return configs;
}
}  // namespace

CudnnDescriptor::CudnnDescriptor(cudnnBackendDescriptorType_t type) {
  cudnnBackendDescriptor_t made = nullptr;
  check(cudnn().BackendCreateDescriptor(type, &made), "describing a convolution");
  handle_ = {made, [](void* d) { cudnn().BackendDestroyDescriptor(d); }};
}
void CudnnDescriptor::accept(cudnnStatus_t s) {
  if (s >= CUDNN_STATUS_BAD_PARAM && s < CUDNN_STATUS_INTERNAL_ERROR) throw CudnnRefused();  // bad parameters, not supported
  check(s, "describing a convolution");
}
cudnnStatus_t CudnnDescriptor::finalize() const { return cudnn().BackendFinalize(handle_.get()); }
cudnnStatus_t CudnnDescriptor::set_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count, const void* values) const {
  return cudnn().BackendSetAttribute(handle_.get(), name, type, count, values);
}
cudnnStatus_t CudnnDescriptor::get_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count, int64_t* found,
                                       void* values) const {
  return cudnn().BackendGetAttribute(handle_.get(), name, type, count, found, values);
}

CudnnDescriptor CudnnTensor::descriptor() const {
  CudnnDescriptor d(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  int64_t dims[] = {shape.n, shape.c, shape.h, shape.w};
  int64_t strides[] = {shape.tokens() * row_stride, 1, shape.w * row_stride, row_stride};
  d.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, type_of(dtype));
  d.set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, std::span<const int64_t>(dims));
  d.set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, std::span<const int64_t>(strides));
  d.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, id);
  d.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, int64_t(std::min(alignment_of(data), 16)));
  d.set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, intermediate);
  d.complete();
  return d;
}

std::vector<CudnnDescriptor> cudnn_engines(const Context& context, const std::vector<CudnnDescriptor>& operations, bool exact) {
  CudnnDescriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  std::vector<void*> handles;
  for (const CudnnDescriptor& op : operations) handles.push_back(op.get());
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, std::span<void* const>(handles));
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, context.dnn);
  if (graph.finalize() != CUDNN_STATUS_SUCCESS) return {};
  std::vector<CudnnDescriptor> all = suggestions(graph, CUDNN_HEUR_MODE_A);
  for (CudnnDescriptor& d : suggestions(graph, CUDNN_HEUR_MODE_FALLBACK)) all.push_back(std::move(d));
  std::erase_if(all, [&](const CudnnDescriptor& d) { return !acceptable(d, exact); });
  return all;
}

std::shared_ptr<CudnnPlan> cudnn_plan(const Context& context, const CudnnDescriptor& engine) {
  CudnnDescriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, context.dnn).set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, engine);
  if (plan.finalize() != CUDNN_STATUS_SUCCESS) return nullptr;
  int64_t workspace = 0, count = 0;
  check(plan.get_raw(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &count, &workspace), "planning a convolution");
  return workspace <= kMostWorkspace ? std::make_shared<CudnnPlan>(CudnnPlan{plan, workspace}) : nullptr;
}

cudnnStatus_t cudnn_run(const Context& context, const CudnnPlan& plan, const std::vector<int64_t>& ids, const std::vector<void*>& data,
                        void* workspace) {
  CudnnDescriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, std::span<void* const>(data));
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, std::span<const int64_t>(ids));
  pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, workspace);
  pack.complete();
  return cudnn().BackendExecute(context.dnn, plan.plan.get(), pack.get());
}

}  // namespace hayate::cuda
