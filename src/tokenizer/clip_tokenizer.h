// Text to token ids as CLIP's text encoders read them. Token for token equal to CLIPTokenizer of transformers 5. The fast one of
// transformers 4 differs in recognising special tokens in any case more often, the slow one in rewriting quotation marks and
// ligatures, dropping control characters and minding final sigmas.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/byte_pair_encoding.h"

namespace hayate {

struct TokenizedPrompt {
  std::vector<int32_t> ids;  // max_length() of them: BOS, the prompt, EOS, padding
  std::string truncated;     // the end of the prompt for which there was no room; empty: all fits
};

// A stretch of a prompt.
struct TokenizedPiece {
  std::string text;          // in lower case
  std::vector<int32_t> ids;
  bool added = false;        // a word of ClipTokenizer::add_word(), whose ids belong together
};

class ClipTokenizer {
 public:
  // A tokenizer folder of a diffusers model: vocab.json, merges.txt and the JSON files beside them.
  explicit ClipTokenizer(const std::string& folder);

  // Error(usage) for a prompt that is not UTF-8 or longer than a megabyte.
  TokenizedPrompt encode(std::string_view prompt) const;

  // The prompt's own ids, of any number: no BOS, EOS or padding. The same errors.
  std::vector<int32_t> tokenize(std::string_view prompt) const;
  std::vector<TokenizedPiece> pieces(std::string_view prompt) const;  // likewise, with added words apart

  // From now on this word, in large or small letters, stands for `count` ids from `first` on, where no letter, digit or underscore continues
  // it. Error(usage) for a text that is blank, not UTF-8 or a word that was added already.
  void add_word(const std::string& text, int32_t first, int32_t count);

  int32_t find(const std::string& token) const { return bpe_.find(token); }  // -1: not in the vocabulary
  int max_length() const { return max_length_; }
  int vocabulary_size() const { return bpe_.size(); }
  int32_t bos_id() const { return bos_id_; }
  int32_t eos_id() const { return eos_id_; }
  int32_t pad_id() const { return pad_id_; }

 private:
  struct Special {
    std::u32string text;
    std::vector<int32_t> ids;
    bool matches(std::u32string_view text, size_t at) const;
    bool word_begins = false, word_ends = false;  // on these sides no word may go on
  };
  ClipTokenizer(const std::string& folder, const struct TokenizerSettings& settings);

  BytePairEncoding bpe_;
  std::vector<Special> verbatim_, normalized_, added_;  // looked for before and after lower-casing; longest first
  int max_length_;
  int32_t bos_id_, eos_id_, pad_id_;
};

}  // namespace hayate
