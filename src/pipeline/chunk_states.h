// What a text encoder makes of the chunks of many prompts: each different chunk is encoded once.
#pragma once
#include <map>

#include "hayate/hayate.h"
#include "pipeline/text_encoder.h"
#include "prompt/token_chunk.h"

namespace hayate {

class ChunkStates {
 public:
  // The arguments after `syntax` are those of TextEncoder::encode().
  ChunkStates(TextEncoder&, const std::vector<TokenChunk>& chunks, PromptSyntax syntax, const std::string& half, int clip_skip, Dump&,
              CompileSeconds&);

  // Of chunks that the constructor was given.
  std::vector<float> states(const TokenChunk&) const;      // (tokens, width), with the weights of the chunk applied as the syntax has it
  std::span<const float> pooled(const TokenChunk&) const;  // (pooled_width), which no weight changes; nothing if the encoder has none

 private:
  std::span<const float> plain_states(const std::vector<int32_t>& ids) const;

  PromptSyntax syntax_;
  std::map<std::vector<int32_t>, size_t> places_;  // of each list of ids in encoded_
  std::vector<int32_t> empty_;                     // the ids of an empty prompt
  EncodedText encoded_;
};

}  // namespace hayate
