// A model as diffusers saves it: a folder with model_index.json and one folder per component.
#pragma once
#include "weights/checkpoint.h"

namespace hayate {

class FolderCheckpoint : public Checkpoint {
 public:
  FolderCheckpoint(const std::string& path, const std::string& tokenizers);

  const std::string& path() const override { return path_; }
  JsonObject index() const override { return index_; }
  bool has(const std::string& component) const override;  // the index lists it with a class
  JsonObject config(const std::string& component) const override;
  std::shared_ptr<const TensorSource> tensors(const std::string& component) const override;
  std::string tokenizer(const std::string& component) const override;

 private:
  std::string folder(const std::string& component) const;

  std::string path_, tokenizers_;
  JsonObject index_;
};

}  // namespace hayate
