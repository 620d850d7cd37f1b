// The model families that hayate knows, as data.
#pragma once
#include <string>
#include <vector>

namespace hayate {

struct Family {
  const char* name;            // for people
  std::vector<const char*> pipeline_classes;  // `_class_name` in model_index.json
  std::vector<const char*> text_encoders, tokenizers;  // component folders, in the order in which their states are joined
  int skip_layers;             // of the text encoders: SDXL conditions on the penultimate state
  bool final_norm;             // of that state
  bool added_embedding;        // pooled text and time ids
};

const std::vector<Family>& families();
const Family& find_family(const std::string& pipeline_class, const std::string& what);  // throws Error(unsupported) listing them

}  // namespace hayate
