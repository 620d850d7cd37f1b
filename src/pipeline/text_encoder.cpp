// Lists of ids go through the encoder in batches.
#include "pipeline/text_encoder.h"

#include <algorithm>

#include "core/error.h"
#include "pipeline/not_finite.h"
#include "pipeline/read_floats.h"

namespace hayate {

TextEncoder::TextEncoder(const Checkpoint& model, const std::string& component, const std::string& tokenizer, ClipTextOutput output,
                         const Compiler& compiler, const std::string& prefix)
    : tokenizer_(model.tokenizer(tokenizer)),
      config_(parse_clip_text_config(model.config(component))),
      output_(output),
      component_(prefix + component, model.tensors(component), compiler) {
  require(tokenizer_.vocabulary_size() <= config_.vocab_size, ErrorKind::bad_model, "{}: has ids up to {}, {} has a vocabulary of {}",
          model.tokenizer(tokenizer), tokenizer_.vocabulary_size() - 1, component, config_.vocab_size);
  require(tokenizer_.max_length() == config_.max_tokens, ErrorKind::bad_model, "{}: model_max_length is {}, {} has max_position_embeddings {}",
          model.tokenizer(tokenizer), tokenizer_.max_length(), component, config_.max_tokens);
  for (const AddedWord& word : model.words(component)) {
    tokenizer_.add_word(word.text, word.first, word.count);
    added_from_ = std::min(added_from_, word.first);
  }
}

Recording TextEncoder::recording(const ClipTextOutput& output, int64_t texts) const {
  return {fmt::format("{} texts, skip {}", texts, output.skip_layers), [=, this] { return record_clip_text(config_, output, texts, config_.max_tokens); }};
}

Component::Need TextEncoder::need(int64_t texts, int clip_skip, const Rung& rung, bool keep_all) {
  ClipTextOutput output = output_;
  output.skip_layers += clip_skip;
  return component_.need(recording(output, std::min(texts, int64_t{max_at_once})), rung, keep_all);
}

EncodedText TextEncoder::encode(const std::vector<std::vector<int32_t>>& ids, const std::string& half, int clip_skip, Dump& dump,
                                CompileSeconds& seconds) {
  EncodedText encoded{.tokens = config_.max_tokens, .width = config_.hidden_size, .pooled_width = pooled_width()};
  ClipTextOutput output = output_;
  output.skip_layers += clip_skip;
  for (size_t at = 0; at < ids.size(); at += max_at_once) {
    std::string name = at == 0 ? half : fmt::format("{}-{}", half, at / max_at_once + 1);
    encode_batch(std::span(ids).subspan(at, std::min(max_at_once, ids.size() - at)), name, output, dump, seconds, encoded);
  }
  return encoded;
}

void TextEncoder::encode_batch(std::span<const std::vector<int32_t>> ids, const std::string& half, const ClipTextOutput& output, Dump& dump,
                               CompileSeconds& seconds, EncodedText& encoded) {
  std::vector<int32_t> all, ends;
  for (const std::vector<int32_t>& list : ids) {
    std::vector<int32_t> known = list;  // the rule of the largest id is about the model's own
    for (int32_t& id : known) id = id < added_from_ ? id : 0;
    ends.push_back(eos_index(config_, known));
    all.insert(all.end(), list.begin(), list.end());
  }
  auto run = [&](bool keep_all) {
    auto exec = component_.executable(recording(output, int64_t(ids.size())), keep_all, seconds);
    exec->write("input_ids", std::as_bytes(std::span(all)));
    if (output.pooled) exec->write("eos_index", std::as_bytes(std::span(ends)));
    exec->run(Rate::prompt);
    return exec;
  };
  auto exec = run(dump.active());
  if (dump.active()) dump.take(component_.name() + "/" + half, *exec, Rate::prompt);
  auto append = [&](std::vector<float>& to, size_t output_index) {
    std::vector<float> values = read_floats(*exec, exec->program().outputs[output_index]);
    require_finite(values, fmt::format("what {} makes of the {}", component_.name(), half), [&] {
      exec.reset();
      return run(/*keep_all=*/true);
    });
    to.insert(to.end(), values.begin(), values.end());
  };
  append(encoded.hidden, 0);
  if (output.pooled) append(encoded.pooled, 1);
}

}  // namespace hayate
