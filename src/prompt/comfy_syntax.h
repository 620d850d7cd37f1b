// The weights in prompts of ComfyUI's CLIPTextEncode (comfy/sd1_clip.py).
#pragma once
#include <string_view>

#include "prompt/weighted_text.h"

namespace hayate {

// (a) counts 1.1 times what surrounds it, (a:1.3) counts 1.3 whatever surrounds it. \( \) are text, [a] is text, and so are
// brackets without a partner. Error(usage) for weights that are not finite and more than max_nested_brackets.
std::vector<WeightedText> parse_comfy(std::string_view prompt);

}  // namespace hayate
