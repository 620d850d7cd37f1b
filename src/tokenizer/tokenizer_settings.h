// What the JSON files beside a CLIP vocabulary say: special tokens and the length of a prompt.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hayate {

// A token that is recognised in a prompt before anything else is.
struct AddedToken {
  std::string text;
  bool normalized = false;         // recognised in the lower-cased prompt, in any case that is
  std::optional<int64_t> id = {};  // as a file states it
};

struct TokenizerSettings {
  std::string bos = "<|startoftext|>", eos = "<|endoftext|>", unknown = eos, pad = eos;
  std::vector<AddedToken> added_tokens;  // the four above among them; no text twice
  int max_length = 77;                   // tokens of a prompt, BOS and EOS included
};

// From tokenizer_config.json, special_tokens_map.json and added_tokens.json, each of which may be missing, by the rules of
// transformers 5. Error(bad_file) for malformed ones, Error(unsupported) for token flags that CLIP does not use.
TokenizerSettings read_tokenizer_settings(const std::string& folder);

}  // namespace hayate
