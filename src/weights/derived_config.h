// What the names and shapes of a component's tensors say about its config: the keys of config.json that they decide.
#pragma once
#include "core/json.h"
#include "weights/original_names.h"

namespace hayate {

// For tensors under diffusers' names. Error(bad_model) if one that says something is missing or has another rank. Left open are the
// numbers that no shape shows: heads, groups, activation, the scale of latents.
Json derive_config(OriginalPart, const TensorSource& diffusers);

}  // namespace hayate
