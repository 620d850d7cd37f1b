// A tokenizer and its CLIP text encoder: texts in, conditioning out.
#pragma once
#include <functional>
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
  std::vector<float> hidden{};  // (texts, tokens, width)
  std::vector<float> pooled{};  // (texts, pooled_width), empty if the encoder is not asked for it
};

class TextEncoder {
 public:
  // `output` says which state to return; its skip_layers grow with clip_skip.
  TextEncoder(const Checkpoint&, const std::string& component, const std::string& tokenizer, ClipTextOutput output, const Compiler&);

  // `half` names the values in a dump: COMPONENT/half/NAME.
  EncodedText encode(const std::vector<std::string>& texts, const std::string& half, int clip_skip, const std::function<void(const std::string&)>& warn,
                     Dump&, CompileSeconds&);
  Component::Need need(int64_t texts, int clip_skip, const Rung& rung, bool keep_all) const;
  Component& component() { return component_; }
  int64_t tokens() const { return config_.max_tokens; }
  int64_t width() const { return config_.hidden_size; }
  int64_t pooled_width() const { return output_.pooled ? config_.projection_dim : 0; }

 private:
  ClipTokenizer tokenizer_;
  ClipTextConfig config_;
  ClipTextOutput output_;
  Component component_;
};

}  // namespace hayate
