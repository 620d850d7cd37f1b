// The tensors of a component with LoRAs merged into them as they are read.
#pragma once
#include <map>
#include <memory>

#include "weights/lora_delta.h"
#include "weights/tensor_source.h"

namespace hayate {

// Sums are made in float32 and rounded once to what is asked for, so programs on every rung and device see merged weights.
class LoraSource : public TensorSource {
 public:
  LoraSource(std::shared_ptr<const TensorSource> base, std::map<std::string, std::vector<LoraDelta>> deltas)
      : base_(std::move(base)), deltas_(std::move(deltas)) {}

  std::vector<std::string> names() const override { return base_->names(); }
  bool has(const std::string& name) const override { return base_->has(name); }
  std::vector<int64_t> dims(const std::string& name) const override { return base_->dims(name); }
  Dtype dtype(const std::string& name) const override { return base_->dtype(name); }  // in which a merged weight is written to a file, too
  std::string stored_as(const std::string& name) const override { return base_->stored_as(name); }
  using TensorSource::read;
  void read(const std::string& name, Dtype as, std::span<std::byte> out, int64_t first) const override;

 private:
  std::shared_ptr<const TensorSource> base_;
  std::map<std::string, std::vector<LoraDelta>> deltas_;  // by tensor
};

}  // namespace hayate
