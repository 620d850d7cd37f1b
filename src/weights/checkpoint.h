// A model as opened: its components under diffusers' names, whatever its files look like.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/json.h"
#include "weights/tensor_source.h"

namespace hayate {

// A word of prompts that stands for ids of its own.
struct AddedWord {
  std::string text;
  int32_t first, count;  // of its ids
};

class Checkpoint {
 public:
  virtual ~Checkpoint() = default;

  virtual const std::string& path() const = 0;
  virtual JsonObject index() const = 0;                                                         // what model_index.json says: class and settings
  virtual bool has(const std::string& component) const = 0;                                     // a component left out on purpose is not there
  virtual JsonObject config(const std::string& component) const = 0;                            // config.json, or scheduler_config.json
  virtual std::shared_ptr<const TensorSource> tensors(const std::string& component) const = 0;  // under current names (weights/names.h)
  virtual std::string tokenizer(const std::string& component) const = 0;                        // a folder with vocab.json and merges.txt
  virtual std::vector<AddedWord> words(const std::string& /*component*/) const { return {}; }   // that a text encoder knows beside its tokenizer's
};

// A diffusers folder, a single file under the original names, or a folder with one such file. `tokenizers` is a folder with the published vocabularies, as "tokenizer" and
// "tokenizer_2", for models that come without; it need not exist.
std::unique_ptr<Checkpoint> open_checkpoint(const std::string& path, const std::string& tokenizers);

// For people: the last part of a path, without an ending.
std::string model_name(const std::string& path);

}  // namespace hayate
