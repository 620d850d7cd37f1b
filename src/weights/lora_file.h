// A LoRA file taken apart: which of its tensors belong to which module, whatever program wrote it.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "weights/safetensors.h"

namespace hayate {

// Two matrices whose product is added to a weight; for a convolution kohya's LoCon may put a small filter between them.
struct LoraModule {
  std::string name;                // as the file calls the module, "lora_unet_mid_block_..." or "unet.mid_block....", see lora_targets.h
  std::string down, up, mid;       // tensors of the file; mid may be empty
  std::optional<float> alpha{};    // what the product is scaled by, times the rank
};

struct LoraFile {
  std::shared_ptr<const SafetensorsFile> tensors;
  std::vector<LoraModule> modules;
  std::vector<std::string> unknown;  // tensors that are of no kind known here
};

// Error(unsupported) for other adapters (DoRA, LoHa ...), of which nothing may be left out, Error(bad_file) for a module that lacks a matrix
// or has one twice, Error(bad_model) for a file that has no module.
LoraFile read_lora(const std::string& path);

}  // namespace hayate
