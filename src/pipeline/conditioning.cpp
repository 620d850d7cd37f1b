// Texts of both halves, encoded once each however often they occur, joined across the encoders.
#include "pipeline/conditioning.h"

#include <algorithm>

#include "core/error.h"

namespace hayate {

namespace {
// One text of one half of the batch, for each encoder.
struct Texts {
  std::string first, second;
  bool zeros;  // conditions with zeros instead
  const std::string& of(size_t encoder) const { return encoder == 0 ? first : second; }
};

std::vector<Texts> texts_of(const std::vector<Picture>& pictures, bool negative, bool zero_empty) {
  std::vector<Texts> texts;
  for (const Picture& p : pictures) {
    Texts t = negative ? Texts{p.negative_prompt, p.negative_prompt_2.value_or(p.negative_prompt), false}
                       : Texts{p.prompt, p.prompt_2.value_or(p.prompt), false};
    t.zeros = negative && zero_empty && t.first.empty() && t.second.empty();
    texts.push_back(std::move(t));
  }
  return texts;
}

// Writes one encoder's states into columns [column, column + width) of the half's rows.
void place(const EncodedText& from, const std::vector<size_t>& which, const std::vector<Texts>& texts, int64_t column, Conditioning& to,
           float* hidden, float* pooled) {
  for (size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].zeros) continue;
    const float* rows = &from.hidden[which[i] * size_t(from.tokens * from.width)];
    float* out = hidden + int64_t(i) * to.tokens * to.width + column;
    for (int64_t t = 0; t < from.tokens; ++t) std::copy_n(rows + t * from.width, from.width, out + t * to.width);
    if (!from.pooled.empty())
      std::copy_n(&from.pooled[which[i] * size_t(from.pooled_width)], from.pooled_width, pooled + int64_t(i) * to.pooled_width);
  }
}

void append_time_ids(const MicroConditioning& m, int width, int height, std::vector<float>& ids) {
  auto size = [&](const std::array<int, 2>& s) { return s == std::array<int, 2>{} ? std::array<int, 2>{height, width} : s; };
  for (auto pair : {size(m.original_size), m.crop_top_left, size(m.target_size)})
    for (int v : pair) ids.push_back(float(v));
}
}  // namespace

Conditioner::Conditioner(const Checkpoint& model, const Family& family, const Compiler& compiler) {
  // diffusers: a constructor argument of the SDXL pipeline, true unless the index says otherwise
  zero_empty_negative_ =
      family.added_embedding && model.index().boolean("force_zeros_for_empty_prompt", true);
  for (size_t i = 0; i < family.text_encoders.size(); ++i) {
    bool last = i + 1 == family.text_encoders.size();
    ClipTextOutput output{.skip_layers = family.skip_layers, .final_norm = family.final_norm, .pooled = family.added_embedding && last};
    encoders_.push_back(std::make_unique<TextEncoder>(model, family.text_encoders[i], family.tokenizers[i], output, compiler));
  }
}

Conditioning Conditioner::condition(const Request& request, int width, int height, bool guided, const std::function<void(const std::string&)>& warn,
                                    Dump& dump, CompileSeconds& seconds) {
  Conditioning c{.tokens = encoders_[0]->tokens(), .pooled_width = encoders_.back()->pooled_width()};
  for (const auto& e : encoders_) {
    require(e->tokens() == c.tokens, ErrorKind::bad_model, "the text encoders take {} and {} tokens", c.tokens, e->tokens());
    c.width += e->width();
  }
  int64_t n = int64_t(request.pictures.size()), halves = guided ? 2 : 1;
  c.hidden.assign(size_t(halves * n * c.tokens * c.width), 0.0f);
  c.pooled.assign(size_t(halves * n * c.pooled_width), 0.0f);

  for (int64_t half = 0; half < halves; ++half) {
    bool negative = guided && half == 0;
    std::vector<Texts> texts = texts_of(request.pictures, negative, zero_empty_negative_);
    int64_t column = 0;
    for (size_t e = 0; e < encoders_.size(); ++e) {
      std::vector<std::string> distinct;
      std::vector<size_t> which;
      for (const Texts& t : texts) {
        size_t at = size_t(std::find(distinct.begin(), distinct.end(), t.of(e)) - distinct.begin());
        which.push_back(at);
        if (at == distinct.size() && !t.zeros) distinct.push_back(t.of(e));
      }
      // diffusers skips layers for the prompt only, never for the negative prompt
      if (!distinct.empty())
        place(encoders_[e]->encode(distinct, negative ? "negative" : "prompt", negative ? 0 : request.clip_skip, warn, dump, seconds), which, texts,
              column, c, &c.hidden[size_t(half * n * c.tokens * c.width)], c.pooled.data() + half * n * c.pooled_width);
      column += encoders_[e]->width();
    }
    for (const Picture& p : request.pictures) append_time_ids(negative ? p.negative_micro.value_or(p.micro) : p.micro, width, height, c.time_ids);
  }
  return c;
}

}  // namespace hayate
