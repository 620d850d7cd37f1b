// Boxes of matrices and pictures, described to the copy engine by the driver.
#include "backend/cuda/tensor_map.h"

#include "backend/cuda/driver.h"

namespace hayate::cuda {

CUtensorMap tensor_map(const BoxedTensor& t) {
  static const auto encode = HAYATE_DRIVER_FUNCTION(cuTensorMapEncodeTiled);
  CUtensorMap map{};
  size_t rank = t.sizes.size();
  std::vector<cuuint64_t> sizes(t.sizes.begin(), t.sizes.end()), strides;
  for (int64_t s : t.strides) strides.push_back(cuuint64_t(s * size_of(t.dtype)));
  std::vector<cuuint32_t> box, steps;
  for (size_t i = 0; i < rank; ++i) {
    steps.push_back(t.steps.empty() ? 1 : cuuint32_t(t.steps[i]));
    box.push_back(cuuint32_t(t.box[i]) * steps[i]);
  }
  auto type = is_quantized(t.dtype) ? CU_TENSOR_MAP_DATA_TYPE_UINT8 : t.dtype == Dtype::bf16 ? CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 : CU_TENSOR_MAP_DATA_TYPE_FLOAT16;
  auto swizzle = t.box[0] * size_of(t.dtype) == 128 ? CU_TENSOR_MAP_SWIZZLE_128B : CU_TENSOR_MAP_SWIZZLE_64B;
  CUresult r = encode(&map, type, cuuint32_t(rank), const_cast<void*>(t.data), sizes.data(), strides.data(), box.data(), steps.data(),
                      CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle, CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  check_driver(r, "describing a tensor to the copy engine");
  return map;
}

}  // namespace hayate::cuda
