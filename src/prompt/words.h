// Whole words in capitals, such as BREAK, which prompts use as signs.
#pragma once
#include <string_view>

#include "tokenizer/unicode.h"

namespace hayate {

// Where `word` stands from `start` on with no letter, digit or underscore at either side; npos: nowhere.
inline size_t find_word(std::u32string_view text, std::u32string_view word, size_t start = 0) {
  for (size_t at = text.find(word, start); at != text.npos; at = text.find(word, at + 1)) {
    size_t end = at + word.size();
    if ((at == 0 || !is_word_character(text[at - 1])) && (end == text.size() || !is_word_character(text[end]))) return at;
  }
  return text.npos;
}

inline size_t skip_spaces(std::u32string_view text, size_t at) {
  while (at < text.size() && is_space(text[at])) ++at;
  return at;
}

inline std::u32string_view trim_end(std::u32string_view text) {
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace hayate
