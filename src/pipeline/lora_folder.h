// The LoRAs that prompts name, in a folder like that of AUTOMATIC1111's web UI.
#pragma once
#include <string>
#include <vector>

#include "hayate/hayate.h"

namespace hayate {

// Those of a prompt and of the prompt for the second text encoder. A name is that of a .safetensors file without its ending, in the folder or in
// folders within. Error(not_found) that names the folder for a name that is not there, Error(usage) for one that is there more than once and where
// no folder is given.
std::vector<Lora> loras_of(const Picture&, PromptSyntax, const std::string& folder);

}  // namespace hayate
