// The tensors of a component with one LoRA merged into them as they are read. Several are sources over one another.
#pragma once
#include <map>
#include <memory>
#include <optional>

#include "weights/lora_delta.h"
#include "weights/lora_magnitude.h"
#include "weights/tensor_source.h"

namespace hayate {

// What becomes of one weight.
struct LoraMerge {
  LoraDelta delta;
  std::optional<LoraMagnitude> magnitude{};

  LoraMerge(const std::shared_ptr<const SafetensorsFile>& file, const LoraModule&, const LoraTarget&, float weight);
};
using LoraMerges = std::map<std::string, LoraMerge>;  // by tensor

// Sums are made in float32 and rounded once to what is asked for, so programs on every rung and device see merged weights.
class LoraSource : public TensorSource {
 public:
  LoraSource(std::shared_ptr<const TensorSource> base, std::shared_ptr<const LoraMerges> merges) : base_(std::move(base)), merges_(std::move(merges)) {}

  std::vector<std::string> names() const override { return base_->names(); }
  bool has(const std::string& name) const override { return base_->has(name); }
  std::vector<int64_t> dims(const std::string& name) const override { return base_->dims(name); }
  Dtype dtype(const std::string& name) const override { return base_->dtype(name); }  // in which a merged weight is written to a file, too
  std::string stored_as(const std::string& name) const override { return base_->stored_as(name); }
  using TensorSource::read;
  void read(const std::string& name, Dtype as, std::span<std::byte> out, int64_t first) const override;
  void announce(const std::string& name) const override { base_->announce(name); }
  std::optional<int64_t> added_rank(const std::string& name) const override;
  SplitTensor split(const std::string& name) const override;

 private:
  std::shared_ptr<const TensorSource> base_;
  std::shared_ptr<const LoraMerges> merges_;
};

}  // namespace hayate
