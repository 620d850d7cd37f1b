// A model as diffusers saves it: a folder with model_index.json and one folder per component.
#pragma once
#include <memory>
#include <string>

#include "core/json.h"
#include "weights/tensor_source.h"

namespace hayate {

class ModelFolder {
 public:
  explicit ModelFolder(const std::string& path);

  const std::string& path() const { return path_; }
  const Json& index() const { return index_; }  // model_index.json

  // Whether the index lists the component with a class. A component that it lists as null is left out on purpose.
  bool has(const std::string& component) const;
  std::string path(const std::string& component) const;                       // the component's folder
  Json config(const std::string& component) const;                            // config.json, or what schedulers and tokenizers have instead
  std::unique_ptr<TensorSource> tensors(const std::string& component) const;  // under current names (weights/names.h)

 private:
  // The first of these files that the component's folder has; Error(not_found) says what is there instead.
  std::string find_file(const std::string& component, std::initializer_list<const char*> candidates) const;

  std::string path_;
  Json index_;
};

}  // namespace hayate
