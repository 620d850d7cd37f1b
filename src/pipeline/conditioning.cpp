// Prompts are read into chunks, brought to one length, encoded, and joined across chunks and encoders.
#include "pipeline/conditioning.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "pipeline/chunk_states.h"
#include "pipeline/device_numbers.h"
#include "pipeline/not_finite.h"
#include "prompt/a1111_chunks.h"
#include "prompt/a1111_networks.h"
#include "prompt/a1111_syntax.h"
#include "prompt/comfy_chunks.h"

namespace hayate {

namespace {
constexpr size_t kMaxChunks = 64;  // of a prompt: the keys and values of text in the whole UNet grow with them

using Chunks = std::vector<TokenChunk>;

Chunks chunk_plain(const ClipTokenizer& tokenizer, const std::string& prompt, const Warn& warn) {
  TokenizedPrompt t = tokenizer.encode(prompt);
  if (!t.truncated.empty())
    hayate::warn(warn, fmt::format("the prompt is longer than {} tokens; this part was cut: \"{}\"", tokenizer.max_length(), t.truncated));
  return {{std::move(t.ids), std::vector<float>(size_t(tokenizer.max_length()), 1.0f)}};
}

Chunks chunk(PromptSyntax syntax, const ClipTokenizer& tokenizer, const std::string& prompt, bool negative, const Warn& warn) {
  switch (syntax) {
    case PromptSyntax::diffusers: return chunk_plain(tokenizer, prompt, warn);
    case PromptSyntax::a1111: {
      const std::string text = negative ? prompt : without_loras(prompt);
      refuse_unsupported_a1111(text, negative);
      return chunk_a1111(tokenizer, text);
    }
    case PromptSyntax::comfy: return chunk_comfy(tokenizer, prompt);
  }
  fail(ErrorKind::usage, "there is no prompt syntax {}", int(syntax));
}

// The length of two texts in one batch: the longer one's. ComfyUI repeats both instead, up to the least common multiple: attention
// over all keys twice is attention over them once, so there no text changes the other.
size_t common_length(PromptSyntax syntax, size_t a, size_t b) {
  size_t length = syntax == PromptSyntax::comfy ? std::lcm(a, b) : std::max(a, b);
  require(length <= kMaxChunks, ErrorKind::usage, "prompts of {} and {} chunks of tokens make {} in one batch; at most {} are possible", a, b, length,
          kMaxChunks);
  return length;
}

void repeat(std::vector<Chunks>& text, size_t length) {
  for (Chunks& chunks : text)
    for (size_t own = chunks.size(); chunks.size() < length;) chunks.push_back(TokenChunk(chunks[chunks.size() - own]));
}

const std::optional<PromptEmbeds>& embeds_of(const Picture& p, bool negative) { return negative ? p.negative_prompt_embeds : p.prompt_embeds; }

// A score, where the model wants one, takes the place of the target size.
void append_time_ids(const MicroConditioning& m, std::optional<float> score, int width, int height, std::vector<float>& ids) {
  auto size = [&](const std::array<int, 2>& s) { return s == std::array<int, 2>{} ? std::array<int, 2>{height, width} : s; };
  for (auto pair : {size(m.original_size), m.crop_top_left, size(m.target_size)})
    for (int v : pair) ids.push_back(float(v));
  if (!score) return;
  ids.pop_back();
  ids.back() = *score;
}
}  // namespace

Conditioner::Conditioner(const Checkpoint& model, const Family& family, const Compiler& compiler, const std::string& prefix) : pools_(family.added_embedding) {
  // diffusers: a constructor argument of the SDXL pipeline, true unless the index says otherwise
  forced_zeros_ = pools_ && model.index().boolean("force_zeros_for_empty_prompt", true);
  scores_ = pools_ && model.index().boolean("requires_aesthetics_score", false);
  for (size_t i = 0; i < family.text_encoders.size(); ++i) {
    bool last = i + 1 == family.text_encoders.size();
    ClipTextOutput output{.skip_layers = family.skip_layers, .final_norm = family.final_norm, .pooled = pools_ && last};
    encoders_.push_back(std::make_unique<TextEncoder>(model, family.text_encoders[i], family.tokenizers[i], output, compiler, prefix));
  }
}

bool Conditioner::zeros_for_empty_negative(PromptSyntax syntax) const {
  switch (syntax) {
    case PromptSyntax::diffusers: return forced_zeros_;
    case PromptSyntax::a1111: return pools_;  // for SDXL, whatever its index says
    case PromptSyntax::comfy: return false;
  }
  return false;
}

int64_t Conditioner::hidden_width() const {
  int64_t sum = 0;
  for (const auto& e : encoders_) sum += e->width();
  return sum;
}

size_t Conditioner::length_of(const PromptEmbeds& embeds) const {
  const int64_t tokens = encoders_.back()->tokens(), most = tokens * int64_t(kMaxChunks), pooled = encoders_.back()->pooled_width();
  if (embeds.device_hidden) check_array(embeds.device_hidden, {embeds.tokens, hidden_width()}, embeds.hidden, "prompt embeddings");
  if (embeds.device_pooled) check_array(embeds.device_pooled, {pooled}, embeds.pooled, "pooled prompt embeddings");
  auto numbers = [](const DeviceArray& there, const std::vector<float>& here) { return there ? count_of(there) : int64_t(here.size()); };
  const int64_t hidden_numbers = numbers(embeds.device_hidden, embeds.hidden), pooled_numbers = numbers(embeds.device_pooled, embeds.pooled);
  require(embeds.tokens > 0 && embeds.tokens % tokens == 0 && embeds.tokens <= most, ErrorKind::usage,
          "prompt embeddings of {} tokens; expected a multiple of {}, up to {}", embeds.tokens, tokens, most);
  require(hidden_numbers == embeds.tokens * hidden_width() && pooled_numbers == pooled, ErrorKind::usage,
          "prompt embeddings of {} tokens hold {} numbers, pooled {}; the model expects {}, pooled {}", embeds.tokens, hidden_numbers, pooled_numbers,
          embeds.tokens * hidden_width(), pooled);
  require(all_finite(embeds.hidden) && all_finite(embeds.pooled), ErrorKind::usage, "prompt embeddings hold numbers that are not finite");
  return size_t(embeds.tokens / tokens);
}

Conditioner::Text Conditioner::read(const Picture& p, bool negative, PromptSyntax syntax, const Warn& warn) const {
  if (embeds_of(p, negative)) return {};
  const std::string& first = negative ? p.negative_prompt : p.prompt;
  const std::string& second = (negative ? p.negative_prompt_2 : p.prompt_2).value_or(first);
  if (negative && first.empty() && second.empty() && zeros_for_empty_negative(syntax)) return {};
  Text text;
  for (const auto& e : encoders_) text.push_back(chunk(syntax, e->tokenizer(), text.empty() ? first : second, negative, warn));
  size_t longest = 0;
  for (const Chunks& chunks : text) longest = std::max(longest, chunks.size());
  pad(text, longest);
  return text;
}

void Conditioner::pad(Text& text, size_t length) const {
  for (size_t e = 0; e < text.size(); ++e) text[e].resize(length, empty_chunk(encoders_[e]->tokenizer()));
}

void Conditioner::encode(const std::vector<Text>& texts, bool negative, const Request& request, Conditioning& c, Dump& dump,
                         CompileSeconds& seconds) {
  // diffusers skips layers for the prompt only, never for the negative prompt
  int clip_skip = negative && request.prompt_syntax == PromptSyntax::diffusers ? 0 : request.clip_skip;
  size_t picture = size_t(c.tokens * c.width), hidden_at = c.hidden.size(), pooled_at = c.pooled.size(), column = 0;
  c.hidden.resize(hidden_at + texts.size() * picture);
  c.pooled.resize(pooled_at + texts.size() * size_t(c.pooled_width));
  for (size_t e = 0; e < encoders_.size(); ++e) {
    size_t width = size_t(encoders_[e]->width());
    Chunks all;
    for (const Text& text : texts)
      if (!text.empty()) all.insert(all.end(), text[e].begin(), text[e].end());
    if (all.empty()) continue;
    ChunkStates encoded(*encoders_[e], all, request.prompt_syntax, negative ? "negative" : "prompt", clip_skip, dump, seconds);
    for (size_t i = 0; i < texts.size(); ++i) {
      if (texts[i].empty()) continue;
      float* row = &c.hidden[hidden_at + i * picture + column];
      for (const TokenChunk& chunk : texts[i][e]) {
        std::vector<float> states = encoded.states(chunk);
        for (size_t at = 0; at < states.size(); at += width, row += c.width) std::copy_n(&states[at], width, row);
      }
      std::ranges::copy(encoded.pooled(texts[i][e][0]), c.pooled.begin() + ptrdiff_t(pooled_at + i * size_t(c.pooled_width)));
    }
    column += width;
  }
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto& embeds = embeds_of(request.pictures[i], negative);
    if (!embeds) continue;
    std::ranges::copy(embeds->hidden, c.hidden.begin() + ptrdiff_t(hidden_at + i * picture));
    std::ranges::copy(embeds->pooled, c.pooled.begin() + ptrdiff_t(pooled_at + i * size_t(c.pooled_width)));
  }
}

PromptChunks Conditioner::read(const Request& request, bool guided, const Warn& warn) const {
  PromptChunks prompts;
  prompts.halves.resize(guided ? 2 : 1);
  for (std::vector<Text>& half : prompts.halves)
    for (const Picture& p : request.pictures) {
      const bool negative = guided && &half == &prompts.halves[0];
      half.push_back(read(p, negative, request.prompt_syntax, warn));
      const auto& embeds = embeds_of(p, negative);
      const size_t length = embeds ? length_of(*embeds) : half.back().empty() ? 1 : half.back()[0].size();
      prompts.length = common_length(request.prompt_syntax, prompts.length, length);
    }
  for (std::vector<Text>& half : prompts.halves)
    for (Text& text : half) request.prompt_syntax == PromptSyntax::comfy ? repeat(text, prompts.length) : pad(text, prompts.length);
  prompts.tokens = encoders_.back()->tokens() * int64_t(prompts.length);
  prompts.pooled_width = encoders_.back()->pooled_width();
  for (bool negative : {false, true})
    for (const Picture& p : request.pictures)
      if (const auto& embeds = embeds_of(p, negative); embeds && (guided || !negative))
        require(embeds->tokens == prompts.tokens, ErrorKind::usage, "prompt embeddings of {} tokens in a batch of {}: they cannot be made longer",
                embeds->tokens, prompts.tokens);
  return prompts;
}

Conditioning Conditioner::condition(const PromptChunks& prompts, const Request& request, int width, int height, Dump& dump, CompileSeconds& seconds) {
  const int64_t tokens = encoders_[0]->tokens();
  Conditioning c{.tokens = prompts.tokens, .width = hidden_width(), .pooled_width = prompts.pooled_width};
  for (const auto& e : encoders_) require(e->tokens() == tokens, ErrorKind::bad_model, "the text encoders take {} and {} tokens", tokens, e->tokens());
  for (size_t half = 0; half < prompts.halves.size(); ++half)
    encode(prompts.halves[half], half + 1 < prompts.halves.size(), request, c, dump, seconds);
  c.time_ids = time_ids(prompts, request, width, height);
  return c;
}

std::vector<float> Conditioner::time_ids(const PromptChunks& prompts, const Request& request, int width, int height) const {
  std::vector<float> ids;
  for (size_t half = 0; half < prompts.halves.size(); ++half) {
    const bool negative = half + 1 < prompts.halves.size();
    for (const Picture& p : request.pictures) {
      std::optional<float> score;
      if (scores_) score = negative ? p.negative_aesthetic_score : p.aesthetic_score;
      append_time_ids(negative ? p.negative_micro.value_or(p.micro) : p.micro, score, width, height, ids);
    }
  }
  return ids;
}

std::vector<EncodedPrompt> encoded_prompts(const Conditioning& c, size_t pictures) {
  auto row = [](const std::vector<float>& all, size_t i, int64_t numbers) {
    return std::vector<float>(all.begin() + ptrdiff_t(i) * numbers, all.begin() + ptrdiff_t(i + 1) * numbers);
  };
  auto embeds = [&](size_t i) {
    return PromptEmbeds{.tokens = int(c.tokens), .hidden = row(c.hidden, i, c.tokens * c.width), .pooled = row(c.pooled, i, c.pooled_width)};
  };
  const bool guided = c.hidden.size() > pictures * size_t(c.tokens * c.width);  // then the unconditional half comes first
  std::vector<EncodedPrompt> all(pictures);
  for (size_t i = 0; i < pictures; ++i) {
    all[i].prompt = embeds(guided ? pictures + i : i);
    if (guided) all[i].negative = embeds(i);
  }
  return all;
}

}  // namespace hayate
