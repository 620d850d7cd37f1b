// What is the same in all single files of a family: where the components are, and the settings that no tensor shows.
#pragma once
#include <string>
#include <vector>

#include "core/json.h"
#include "weights/checkpoint.h"
#include "weights/original_names.h"

namespace hayate {

struct OriginalComponent {
  const char *name, *library, *class_name;  // as in model_index.json
  const char* prefix;                       // of its tensors
  OriginalPart part;
  const char* settings;  // JSON: keys of config.json that shapes do not decide
};

struct OriginalFamily {
  const char* name;
  const char* pipeline_class;
  std::vector<OriginalComponent> components;
  const char* index_settings;    // JSON: keys of model_index.json beside components
  bool v_prediction_by_weights;  // SD 2: nothing but the weights tells its two kinds apart
};

// The family of a file with these tensors. Error(unsupported) for a kind that hayate knows and does not do (refiner, inpainting ...),
// Error(bad_model) for what is no checkpoint; both say what the file is.
const OriginalFamily& recognise_family(const TensorSource& file, const std::string& path);

// The family of a model that is open. Error(unsupported) if its class has no original form.
const OriginalFamily& original_family_of(const Checkpoint&);

// The component's config.json: what its shapes decide over what all published models have in common.
Json published_config(const OriginalComponent&, const TensorSource& diffusers);

}  // namespace hayate
