// A whole model in one .safetensors file, under the names of the original code.
#pragma once
#include <map>

#include "weights/checkpoint.h"
#include "weights/safetensors.h"

namespace hayate {

struct OriginalFamily;

// The family is recognised from the tensors, and configs are made from their shapes and from what is the same in all models of the
// family. A file that `hayate convert` wrote has its configs in its metadata. A "tokenizer" folder beside the file is the vocabulary,
// else the installed one is.
class SingleFileCheckpoint : public Checkpoint {
 public:
  SingleFileCheckpoint(const std::string& path, const std::string& tokenizers);

  const std::string& path() const override { return file_->path(); }
  JsonObject index() const override;
  bool has(const std::string& component) const override;
  JsonObject config(const std::string& component) const override;
  std::shared_ptr<const TensorSource> tensors(const std::string& component) const override;
  std::string tokenizer(const std::string& component) const override;

  // In the metadata: a JSON object with the configs by component, and model_index.json as "model_index".
  static constexpr const char* configs_key = "hayate.configs";

 private:
  Json scheduler_config() const;
  const Json* stated_config(const std::string& component) const;
  int64_t embedded_tokens(const std::string& encoder) const;  // CLIP's if the encoder is not in the file

  std::shared_ptr<const SafetensorsFile> file_;
  std::string tokenizers_;
  Json stated_ = Json::object();
  const OriginalFamily* family_;
  std::map<std::string, std::shared_ptr<const TensorSource>> components_;
};

}  // namespace hayate
