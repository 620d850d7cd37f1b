// Writing a model in either layout, tensor by tensor: memory does not grow with the model.
#pragma once
#include <optional>
#include <string>

#include "weights/checkpoint.h"

namespace hayate {

// A diffusers folder at `path`, which must not exist. Each tensor keeps its type, or gets `dtype`: Error(not_finite) for one that has a
// value which that type cannot hold.
void write_folder(const Checkpoint&, const std::string& path, std::optional<Dtype> dtype);

// One file under the original names; `path` must not exist. The configs go into its metadata. The tokenizer does not: where it is not
// CLIP's published one, its folder has to lie beside the file.
void write_single_file(const Checkpoint&, const std::string& path, std::optional<Dtype> dtype);

}  // namespace hayate
