// The prompts that quality is measured on, with the attributes that each asks for.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "models/attribute_classifier.h"

namespace hayate {

struct QualityPrompt {
  std::string prompt;
  uint64_t seed;
  int width, height;
  std::map<size_t, size_t> asked;  // group of the classifier -> class
};

// prompts.json: {"prompts": [{"prompt", "seed", "width", "height", "attributes": {group: class}}]}. Every group and class must be the
// classifier's. Error(bad_file) otherwise.
std::vector<QualityPrompt> read_quality_list(const std::string& file, const std::vector<AttributeGroup>& groups);

}  // namespace hayate
