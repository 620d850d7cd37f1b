// Load values of tensors that are sums of a stored one and a product (SplitTensor), computed on the device.
#pragma once
#include "backend/backend.h"
#include "weights/tensor_source.h"

namespace hayate {

class AddProduct {
 public:
  AddProduct(Backend& backend, const TensorSource& source) : backend_(backend), source_(source) {}

  // Whether the load value is one of those, or made of one by scale_columns or row_dots.
  bool takes(const Program&, const Node&) const;
  // `finite` looks at what was read: of the stored tensor, and of the vectors beside it.
  using Check = std::function<void(const Node& tensor, std::span<const std::byte> read, Dtype)>;
  Buffer make(const Program&, const Node&, const Check& finite) const;

 private:
  Buffer sum_of(const Node& weight, const Check& finite) const;  // float32
  Buffer read(const Node& vector, const Check& finite) const;    // float32

  Backend& backend_;
  const TensorSource& source_;
};

}  // namespace hayate
