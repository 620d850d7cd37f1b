// A prompt as characters, checked: the one way in for text that users wrote.
#pragma once
#include <string>
#include <string_view>

#include "core/error.h"
#include "tokenizer/unicode.h"

namespace hayate {

constexpr size_t max_prompt_bytes = 1 << 20;

// Error(usage) for a prompt that is not UTF-8 or longer than a megabyte.
inline std::u32string prompt_characters(std::string_view prompt) {
  require(prompt.size() <= max_prompt_bytes, ErrorKind::usage, "a prompt of {} bytes, expected at most {}", prompt.size(), max_prompt_bytes);
  std::optional<std::u32string> text = from_utf8(prompt);
  require(text.has_value(), ErrorKind::usage, "the prompt is not valid UTF-8 text");
  return std::move(*text);
}

}  // namespace hayate
