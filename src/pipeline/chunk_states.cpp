// A map from ids to their place in the encoder's batch.
#include "pipeline/chunk_states.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "pipeline/emphasis.h"

namespace hayate {

namespace {
bool is_weighted(const TokenChunk& chunk) {
  return std::ranges::any_of(chunk.weights, [](float w) { return w != 1; });
}
}  // namespace

ChunkStates::ChunkStates(TextEncoder& encoder, const std::vector<TokenChunk>& chunks, PromptSyntax syntax, const std::string& half, int clip_skip,
                         Dump& dump, CompileSeconds& seconds)
    : syntax_(syntax), empty_(empty_chunk(encoder.tokenizer()).ids) {
  std::vector<std::vector<int32_t>> distinct;
  auto add = [&](const std::vector<int32_t>& ids) {
    if (places_.emplace(ids, distinct.size()).second) distinct.push_back(ids);
  };
  for (const TokenChunk& chunk : chunks) add(chunk.ids);
  if (syntax == PromptSyntax::comfy && std::ranges::any_of(chunks, is_weighted)) add(empty_);
  encoded_ = encoder.encode(distinct, half, clip_skip, dump, seconds);
}

std::span<const float> ChunkStates::plain_states(const std::vector<int32_t>& ids) const {
  size_t each = size_t(encoded_.tokens * encoded_.width);
  return std::span(encoded_.hidden).subspan(places_.at(ids) * each, each);
}

std::vector<float> ChunkStates::states(const TokenChunk& chunk) const {
  std::span<const float> plain = plain_states(chunk.ids);
  std::vector<float> states(plain.begin(), plain.end());
  if (!is_weighted(chunk)) return states;
  if (syntax_ == PromptSyntax::a1111) emphasize_a1111(states, chunk.weights);
  if (syntax_ == PromptSyntax::comfy) emphasize_comfy(states, plain_states(empty_), chunk.weights);
  bool finite = std::ranges::all_of(states, [](float x) { return std::isfinite(x); });
  require(finite, ErrorKind::not_finite, "the weights of a prompt, the largest of which is {}, make its encoding infinite or NaN",
          std::ranges::max(chunk.weights));
  return states;
}

std::span<const float> ChunkStates::pooled(const TokenChunk& chunk) const {
  size_t each = size_t(encoded_.pooled_width);
  return encoded_.pooled.empty() ? std::span<const float>() : std::span(encoded_.pooled).subspan(places_.at(chunk.ids) * each, each);
}

}  // namespace hayate
