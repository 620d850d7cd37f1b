// The names that the original code of Stable Diffusion and of CLIP gave to modules, beside those of diffusers and transformers: one
// table for reading and for writing. Sources: ldm/modules/diffusionmodules of CompVis/stable-diffusion, sgm of
// Stability-AI/generative-models, open_clip/transformer.py of mlfoundations/open_clip.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "weights/tensor_source.h"

namespace hayate {

// How a component is named in the original: CLIP's text encoder came from transformers and has the same names there.
enum class OriginalPart { unet, vae, clip, open_clip };

// The component's tensors under diffusers' names, from those under the original ones, and the other way round. A name that the table
// lacks stays as it is. Error(bad_model) if two tensors are then called alike or a packed one cannot be cut.
std::unique_ptr<TensorSource> from_original(OriginalPart, std::shared_ptr<const TensorSource> original);
std::unique_ptr<TensorSource> to_original(OriginalPart, std::shared_ptr<const TensorSource> diffusers);

// The original names of a UNet's tensors, by diffusers' names.
std::map<std::string, std::string> original_unet_names(const TensorSource& diffusers);

// The tensors whose names start with `prefix`, without it.
std::unique_ptr<TensorSource> under_prefix(std::shared_ptr<const TensorSource> source, const std::string& prefix);

// Which part these names are the original ones of, if they are of one.
std::optional<OriginalPart> recognise_original(const TensorSource&);

}  // namespace hayate
