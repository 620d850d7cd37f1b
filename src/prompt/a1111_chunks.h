// Prompts of any length as chunks, as AUTOMATIC1111's web UI cuts them (modules/sd_hijack_clip.py of version 1.10).
#pragma once
#include <string_view>
#include <vector>

#include "prompt/token_chunk.h"

namespace hayate {

// At least one chunk. A chunk ends when it is full or at BREAK; if it is full and a comma stands among its last 20 tokens, what
// follows the comma moves on to the next. Errors of parse_a1111().
std::vector<TokenChunk> chunk_a1111(const ClipTokenizer&, std::string_view prompt);

}  // namespace hayate
