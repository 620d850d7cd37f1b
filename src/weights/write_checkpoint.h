// Writing a model in either layout, tensor by tensor: memory does not grow with the model.
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "weights/checkpoint.h"

namespace hayate {

// Told how many bytes of tensors are written, of how many; returns false to stop, which is Error(cancelled) and leaves nothing.
using OnWritten = std::function<bool(int64_t done, int64_t total)>;

// A diffusers folder at `path`, which must not exist. Each tensor keeps its type, or gets `dtype`: Error(not_finite) for one that has a
// value which that type cannot hold.
void write_folder(const Checkpoint&, const std::string& path, std::optional<Dtype> dtype, const OnWritten& = {});

// One file under the original names; `path` must not exist. The configs go into its metadata. The tokenizer does not: where it is not
// CLIP's published one, its folder has to lie beside the file.
void write_single_file(const Checkpoint&, const std::string& path, std::optional<Dtype> dtype, const OnWritten& = {});

}  // namespace hayate
