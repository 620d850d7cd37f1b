// A model some of whose components come from other files or folders.
#pragma once
#include <map>

#include "weights/checkpoint.h"

namespace hayate {

class OverriddenCheckpoint : public Checkpoint {
 public:
  // `overrides`: for a component ("unet", "vae", "text_encoder", "text_encoder_2") a .safetensors file in either naming, a folder with
  // config.json and weights, or a whole model. Error(bad_model) for one that has no such component.
  OverriddenCheckpoint(std::unique_ptr<Checkpoint> base, const std::map<std::string, std::string>& overrides);

  const std::string& path() const override { return base_->path(); }
  JsonObject index() const override { return base_->index(); }
  bool has(const std::string& component) const override { return replaced_.contains(component) || base_->has(component); }
  JsonObject config(const std::string& component) const override;
  std::shared_ptr<const TensorSource> tensors(const std::string& component) const override;
  std::string tokenizer(const std::string& component) const override { return base_->tokenizer(component); }

 private:
  struct Component {
    JsonObject config;
    std::shared_ptr<const TensorSource> tensors;
  };
  Component open(const std::string& component, const std::string& path) const;
  Component open_file(const std::string& component, const std::string& path) const;

  std::unique_ptr<Checkpoint> base_;
  std::map<std::string, Component> replaced_;
};

}  // namespace hayate
