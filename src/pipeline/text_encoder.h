// A tokenizer and its CLIP text encoder: token ids in, states out.
#pragma once
#include <string>
#include <vector>

#include "models/clip_text.h"
#include "pipeline/component.h"
#include "pipeline/dump.h"
#include "tokenizer/clip_tokenizer.h"
#include "weights/checkpoint.h"

namespace hayate {

struct EncodedText {
  int64_t tokens = 0, width = 0, pooled_width = 0;
  std::vector<float> hidden{};  // (n, tokens, width)
  std::vector<float> pooled{};  // (n, pooled_width), empty if the encoder is not asked for it
};

class TextEncoder {
 public:
  // `output` says which state to return; its skip_layers grow with clip_skip.
  TextEncoder(const Checkpoint&, const std::string& component, const std::string& tokenizer, ClipTextOutput output, const Compiler&,
              const std::string& prefix = "");

  // `ids` are n lists of tokens() ids. `half` names the values in a dump: COMPONENT/half/NAME, and half-2 and so on for every
  // further max_at_once lists.
  EncodedText encode(const std::vector<std::vector<int32_t>>& ids, const std::string& half, int clip_skip, Dump&, CompileSeconds&);
  static constexpr size_t max_at_once = 32;

  const ClipTokenizer& tokenizer() const { return tokenizer_; }
  Component::Need need(int64_t texts, int clip_skip, const Rung& rung, bool keep_all);  // of encode() with so many lists
  Component& component() { return component_; }
  int64_t tokens() const { return config_.max_tokens; }
  int64_t width() const { return config_.hidden_size; }
  int64_t pooled_width() const { return output_.pooled ? config_.projection_dim : 0; }

 private:
  Recording recording(const ClipTextOutput&, int64_t texts) const;
  void encode_batch(std::span<const std::vector<int32_t>> ids, const std::string& half, const ClipTextOutput&, Dump&, CompileSeconds&, EncodedText&);

  ClipTokenizer tokenizer_;
  int32_t added_from_ = INT32_MAX;  // the first id that the model's own vocabulary does not have
  ClipTextConfig config_;
  ClipTextOutput output_;
  Component component_;
};

}  // namespace hayate
