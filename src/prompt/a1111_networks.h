// <lora:NAME:0.8> in prompts of AUTOMATIC1111's web UI (modules/extra_networks.py, extensions-builtin/Lora of version 1.10).
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace hayate {

struct PromptLora {
  std::string name;
  float weight = 1, text_weight = 1;  // of its parts for the UNet and for the text encoders
};

// <lora:NAME>, <lora:NAME:0.8>, <lora:NAME:TEXT:UNET>, also as te=0.8 and unet=0.8. Error(usage) for a weight that is no finite number,
// Error(unsupported) for other settings and for networks that are no LoRA.
std::vector<PromptLora> loras_in(std::string_view prompt);
std::string without_loras(std::string_view prompt);  // throws the same

}  // namespace hayate
