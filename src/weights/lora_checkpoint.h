// A model with LoRAs merged into its weights.
#pragma once
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "weights/checkpoint.h"
#include "weights/lora_source.h"
#include "weights/lora_targets.h"

namespace hayate {

struct WeightedLora {
  std::string path;
  float weight;       // of the UNet's part; 0 changes nothing
  float text_weight;  // of the text encoders' parts
  bool operator==(const WeightedLora&) const = default;
};

class LoraCheckpoint : public Checkpoint {
 public:
  // `warn` is told of tensors that fit nothing in the model. Error(bad_model) for a file of which nothing fits, or whose modules are there
  // in other shapes.
  LoraCheckpoint(std::shared_ptr<const Checkpoint> base, std::vector<WeightedLora> loras, const std::function<void(const std::string&)>& warn);

  const std::string& path() const override { return base_->path(); }
  JsonObject index() const override { return base_->index(); }
  bool has(const std::string& component) const override { return base_->has(component); }
  JsonObject config(const std::string& component) const override { return base_->config(component); }
  std::shared_ptr<const TensorSource> tensors(const std::string& component) const override;
  std::string tokenizer(const std::string& component) const override { return base_->tokenizer(component); }
  std::vector<AddedWord> words(const std::string& component) const override { return base_->words(component); }

  const std::vector<WeightedLora>& loras() const { return loras_; }
  // The tensors of a component that are others than those of `before`, over the same model.
  std::set<std::string> changed(const LoraCheckpoint& before, const std::string& component) const;

 private:
  using Components = std::map<std::string, std::shared_ptr<LoraMerges>>;  // by name
  Components merges_of(const WeightedLora&, const LoraTargets&, const std::function<void(const std::string&)>& warn) const;
  // Which LoRAs a tensor has, in order.
  std::map<std::string, std::vector<WeightedLora>> merged_into(const std::string& component) const;

  std::shared_ptr<const Checkpoint> base_;
  std::vector<WeightedLora> loras_;
  std::vector<Components> merges_;  // of each LoRA
};

}  // namespace hayate
