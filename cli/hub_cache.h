// Where the Hugging Face tools keep what they have downloaded.
#pragma once
#include <string>

namespace hayate::cli {

// HF_HUB_CACHE, else hub/ of HF_HOME, else of huggingface/ in XDG_CACHE_HOME or ~/.cache, as huggingface_hub has it; "" without a home.
std::string hub_cache();

}  // namespace hayate::cli
