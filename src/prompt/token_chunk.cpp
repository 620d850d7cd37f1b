// Filling and closing chunks.
#include "prompt/token_chunk.h"

namespace hayate {

void ChunkBuilder::add(std::span<const int32_t> ids, double weight) {
  ids_.insert(ids_.end(), ids.begin(), ids.end());
  weights_.insert(weights_.end(), ids.size(), float(weight));
}

void ChunkBuilder::close(size_t size) {
  auto ids = ids_.begin() + ptrdiff_t(size);
  auto weights = weights_.begin() + ptrdiff_t(size);
  TokenChunk chunk{.ids = {tokenizer_.bos_id()}, .weights = {1}};
  chunk.ids.insert(chunk.ids.end(), ids_.begin(), ids);
  chunk.weights.insert(chunk.weights.end(), weights_.begin(), weights);
  chunk.ids.push_back(tokenizer_.eos_id());
  chunk.ids.resize(size_t(tokenizer_.max_length()), tokenizer_.pad_id());
  chunk.weights.resize(chunk.ids.size(), 1);
  chunks_.push_back(std::move(chunk));
  ids_.erase(ids_.begin(), ids);
  weights_.erase(weights_.begin(), weights);
}

TokenChunk empty_chunk(const ClipTokenizer& tokenizer) {
  ChunkBuilder builder(tokenizer);
  builder.close();
  return builder.take().front();
}

}  // namespace hayate
