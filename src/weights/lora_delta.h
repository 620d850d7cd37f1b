// What a LoRA adds to one weight: a product (LoRA), an elementwise product (LoHa) or a Kronecker product (LoKr) of its factors, times a scale.
#pragma once
#include "weights/lora_factor.h"

namespace hayate {

class LoraDelta {
 public:
  // For a weight of 2 or 4 dims. The scale is weight * alpha / rank; an alpha that is missing or 0 is the rank, as in kohya's scripts, and so it is
  // where nothing is a product of two (a LoKr of whole matrices). Error(bad_model) if the shapes do not fit.
  LoraDelta(std::shared_ptr<const SafetensorsFile> file, const LoraModule& module, const LoraTarget& target, float weight);

  // Adds elements from `first` on, in the stored order. Each is the same whatever range it is in. Error(not_finite) that names the tensor.
  void add_to(std::span<float> out, int64_t first) const;
  // Whether it is one product of two matrices, and all of it.
  bool is_product() const { return kind_ == LoraModule::Kind::product && factors_[0].is_product(); }
  int64_t rank() const { return factors_[0].rank(); }  // of that
  LoraFactor::Product product() const { return factors_[0].product(scale_); }

 private:
  void add_hadamard(std::span<float> out, int64_t first) const;
  void add_kronecker(std::span<float> out, int64_t first) const;

  LoraModule::Kind kind_;
  std::vector<LoraFactor> factors_;  // one, or two
  int64_t columns_;                  // of the weight
  float scale_ = 0;
};

}  // namespace hayate
