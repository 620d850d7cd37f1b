// Which files of a component's folder hold its weights: one file, one of several variants, or shards with an index.
#pragma once
#include <memory>
#include <string>

#include "weights/tensor_source.h"

namespace hayate {

// Opens the weights of a component as diffusers and transformers save them, under the names that are stored:
// {diffusion_pytorch_model,model}[.VARIANT].safetensors, or the shards that BASE.safetensors.index[.VARIANT].json lists. The
// plain files come first, then the variants fp32, fp16 and bf16, then others by name.
// Scaled weights are as scaled_source.h says. Error(not_found) if there are none, Error(unsupported) if there are pickles only.
std::shared_ptr<const TensorSource> open_weights(const std::string& folder);

}  // namespace hayate
