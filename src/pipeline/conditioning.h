// What the UNet is told about each picture of a batch.
#pragma once
#include <memory>
#include <vector>

#include "core/log.h"
#include "hayate/hayate.h"
#include "models/families.h"
#include "pipeline/text_encoder.h"
#include "prompt/token_chunk.h"

namespace hayate {

struct Conditioning {
  int64_t tokens = 0, width = 0, pooled_width = 0;  // tokens: those of one text encoder times the chunks of the longest prompt
  std::vector<float> hidden{};  // (b, tokens, width); b is pictures, or twice that with the unconditional half first
  std::vector<float> pooled{};  // (b, pooled_width)
  std::vector<float> time_ids{};  // (b, 6): original height and width, crop top and left, target height and width; refiners (b, 5): a score in the target's place
};

// Each picture's share of it.
std::vector<EncodedPrompt> encoded_prompts(const Conditioning&, size_t pictures);

// The prompts of a request, read: what each text encoder is to encode.
struct PromptChunks {
  using Text = std::vector<std::vector<TokenChunk>>;  // `length` chunks for each encoder; no encoder at all: zeros, or what the request has encoded
  std::vector<std::vector<Text>> halves{};            // a text for each picture, negative prompts first if there is guidance
  size_t length = 1;
  int64_t tokens = 0, pooled_width = 0;               // that the UNet reads: of all chunks of a text, and of its pooled state
};

class Conditioner {
 public:
  Conditioner(const Checkpoint&, const Family&, const Compiler&, const std::string& prefix = "");

  // Throws what the syntax of the request has against a prompt.
  PromptChunks read(const Request&, bool guided, const Warn&) const;

  // Sizes of zero in a picture's micro-conditioning become height x width.
  Conditioning condition(const PromptChunks&, const Request&, int width, int height, Dump&, CompileSeconds&);
  std::vector<float> time_ids(const PromptChunks&, const Request&, int width, int height) const;

  int64_t hidden_width() const;  // of the states of all text encoders
  const std::vector<std::unique_ptr<TextEncoder>>& encoders() const { return encoders_; }

 private:
  using Text = PromptChunks::Text;

  bool zeros_for_empty_negative(PromptSyntax) const;
  void pad(Text&, size_t length) const;  // with chunks of an empty prompt
  Text read(const Picture&, bool negative, PromptSyntax, const Warn&) const;
  size_t length_of(const PromptEmbeds&) const;  // in chunks; throws for what the UNet cannot read
  // Appends the half's rows to hidden and pooled.
  void encode(const std::vector<Text>&, bool negative, const Request&, Conditioning&, Dump&, CompileSeconds&);

  bool pools_, forced_zeros_, scores_;  // scores_: told an aesthetic score
  std::vector<std::unique_ptr<TextEncoder>> encoders_;
};

}  // namespace hayate
