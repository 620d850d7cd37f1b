// All texts of a call go through the encoder in one batch.
#include "pipeline/text_encoder.h"

#include "core/error.h"
#include "core/log.h"
#include "pipeline/read_floats.h"

namespace hayate {

TextEncoder::TextEncoder(const Checkpoint& model, const std::string& component, const std::string& tokenizer, ClipTextOutput output,
                         const Compiler& compiler)
    : tokenizer_(model.tokenizer(tokenizer)),
      config_(parse_clip_text_config(model.config(component))),
      output_(output),
      component_(component, model.tensors(component), compiler) {
  require(tokenizer_.vocabulary_size() <= config_.vocab_size, ErrorKind::bad_model, "{}: has ids up to {}, {} has a vocabulary of {}",
          model.tokenizer(tokenizer), tokenizer_.vocabulary_size() - 1, component, config_.vocab_size);
  require(tokenizer_.max_length() == config_.max_tokens, ErrorKind::bad_model, "{}: model_max_length is {}, {} has max_position_embeddings {}",
          model.tokenizer(tokenizer), tokenizer_.max_length(), component, config_.max_tokens);
}

Component::Need TextEncoder::need(int64_t texts, int clip_skip, const Rung& rung, bool keep_all) const {
  ClipTextOutput output = output_;
  output.skip_layers += clip_skip;
  return component_.need(record_clip_text(config_, output, texts, config_.max_tokens), rung, keep_all);
}

EncodedText TextEncoder::encode(const std::vector<std::string>& texts, const std::string& half, int clip_skip,
                                const std::function<void(const std::string&)>& warn, Dump& dump, CompileSeconds& seconds) {
  int64_t n = int64_t(texts.size()), tokens = config_.max_tokens;
  std::vector<int32_t> ids, ends;
  for (const std::string& text : texts) {
    TokenizedPrompt t = tokenizer_.encode(text);
    if (!t.truncated.empty()) hayate::warn(warn, fmt::format("the prompt is longer than {} tokens; this part was cut: \"{}\"", tokens, t.truncated));
    ends.push_back(eos_index(config_, t.ids));
    ids.insert(ids.end(), t.ids.begin(), t.ids.end());
  }

  ClipTextOutput output = output_;
  output.skip_layers += clip_skip;
  auto record = [&] { return record_clip_text(config_, output, n, tokens); };
  auto exec = component_.executable(fmt::format("{} texts, skip {}", n, output.skip_layers), record, dump.active(), seconds);
  exec->write("input_ids", std::as_bytes(std::span(ids)));
  if (output.pooled) exec->write("eos_index", std::as_bytes(std::span(ends)));
  exec->run(Rate::prompt);
  if (dump.active()) dump.take(component_.name() + "/" + half, *exec, Rate::prompt);

  EncodedText encoded{.tokens = tokens, .width = config_.hidden_size, .pooled_width = pooled_width()};
  encoded.hidden = read_floats(*exec, exec->program().outputs[0]);
  if (output.pooled) encoded.pooled = read_floats(*exec, exec->program().outputs[1]);
  exec->rest();
  return encoded;
}

}  // namespace hayate
