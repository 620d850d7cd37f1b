// The cache of the Hugging Face hub: models that its own tools have downloaded.
#pragma once
#include <string>

namespace hayate {

// Whether `name` has the form of a model on the hub: "org/name".
bool is_hub_name(const std::string& name);

// The folder of the revision "main" of the model in the cache folder (HF_HUB_CACHE). Nothing is downloaded: Error(not_found) says
// where the model was looked for and how to get it.
std::string find_in_hub_cache(const std::string& cache, const std::string& name);

}  // namespace hayate
