// A model with LoRAs merged into its weights.
#pragma once
#include <functional>
#include <map>
#include <vector>

#include "weights/checkpoint.h"
#include "weights/lora_delta.h"

namespace hayate {

struct WeightedLora {
  std::string path;
  float weight;  // 0 changes nothing
};

class LoraCheckpoint : public Checkpoint {
 public:
  // `warn` is told of tensors that fit nothing in the model. Error(bad_model) for a file of which nothing fits, or whose modules are there
  // in other shapes.
  LoraCheckpoint(std::unique_ptr<Checkpoint> base, const std::vector<WeightedLora>& loras, const std::function<void(const std::string&)>& warn);

  const std::string& path() const override { return base_->path(); }
  JsonObject index() const override { return base_->index(); }
  bool has(const std::string& component) const override { return base_->has(component); }
  JsonObject config(const std::string& component) const override { return base_->config(component); }
  std::shared_ptr<const TensorSource> tensors(const std::string& component) const override;
  std::string tokenizer(const std::string& component) const override { return base_->tokenizer(component); }

 private:
  std::unique_ptr<Checkpoint> base_;
  std::map<std::string, std::map<std::string, std::vector<LoraDelta>>> deltas_;  // by component and tensor, in the order given
};

}  // namespace hayate
