// Tensor names that older or newer versions of diffusers and transformers gave to the same weights.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "weights/tensor_source.h"

namespace hayate {

// The name that the published SDXL folders use for a stored tensor; nothing for a tensor that is not a weight.
std::optional<std::string> current_name(const std::string& stored);

// The same tensors under their current names. Error(bad_model) if two of them are then called alike.
std::unique_ptr<TensorSource> with_current_names(std::shared_ptr<const TensorSource> source);

}  // namespace hayate
