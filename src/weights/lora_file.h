// A LoRA file taken apart: which of its tensors belong to which module, whatever program wrote it.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "weights/safetensors.h"

namespace hayate {

// What is added to one weight, as tensors of the file; what is not there is empty.
struct LoraModule {
  enum class Kind : uint8_t {
    product,    // LoRA, LoCon: the first factor
    hadamard,   // LoHa: both factors multiplied element by element
    kronecker,  // LoKr: the Kronecker product of both
  };
  // A matrix, whole or as the product of two; for a convolution a small filter may be between them.
  struct Factor {
    std::string whole{}, up{}, mid{}, down{};
  };

  std::string name;  // as the file calls the module, "lora_unet_mid_block_..." or "unet.mid_block....", see lora_targets.h
  Kind kind = Kind::product;
  Factor first{}, second{};
  std::string magnitude{};        // DoRA: norms that rows or columns of the merged weight are brought to
  std::optional<float> alpha{};   // what the product is scaled by, times the rank
};

struct LoraFile {
  std::shared_ptr<const SafetensorsFile> tensors;
  std::vector<LoraModule> modules;
  std::vector<std::string> unknown;  // tensors that are of no kind known here
};

// Error(unsupported) for other adapters (OFT, whole differences ...), of which nothing may be left out, Error(bad_file) for a module that lacks a
// matrix or has one twice, Error(bad_model) for a file that has no module.
LoraFile read_lora(const std::string& path);

}  // namespace hayate
