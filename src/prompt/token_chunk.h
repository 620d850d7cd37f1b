// What a text encoder reads in one pass, with a weight for each token.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "tokenizer/clip_tokenizer.h"

namespace hayate {

struct TokenChunk {
  std::vector<int32_t> ids;    // max_length() of them: BOS, tokens, EOS, padding
  std::vector<float> weights;  // of each id
};

// Tokens on their way into chunks.
class ChunkBuilder {
 public:
  explicit ChunkBuilder(const ClipTokenizer& tokenizer) : tokenizer_(tokenizer) {}

  size_t room() const { return size_t(tokenizer_.max_length()) - 2; }  // tokens of a chunk beside BOS and EOS
  size_t size() const { return ids_.size(); }                          // tokens in the open chunk, at most room()
  void add(std::span<const int32_t> ids, double weight);
  // Closes the chunk after its first `size` tokens; the others begin the next one.
  void close(size_t size);
  void close() { close(size()); }

  bool empty() const { return chunks_.empty() && ids_.empty(); }
  std::vector<TokenChunk> take() { return std::move(chunks_); }

 private:
  const ClipTokenizer& tokenizer_;
  std::vector<int32_t> ids_;
  std::vector<float> weights_;
  std::vector<TokenChunk> chunks_;
};

TokenChunk empty_chunk(const ClipTokenizer&);  // BOS, EOS, padding; each of weight 1

}  // namespace hayate
