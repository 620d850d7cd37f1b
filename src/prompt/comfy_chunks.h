// Prompts of any length as chunks, as ComfyUI's SDTokenizer cuts them (comfy/sd1_clip.py).
#pragma once
#include <string_view>
#include <vector>

#include "prompt/token_chunk.h"

namespace hayate {

// At least one chunk. Texts of one weight that are shorter than 8 tokens stay whole: one that does not fit begins the next chunk.
// Errors of parse_comfy(), and Error(usage) for embedding:NAME where that is no word of the tokenizer.
std::vector<TokenChunk> chunk_comfy(const ClipTokenizer&, std::string_view prompt);

}  // namespace hayate
