// The Unicode that tokenizers need, on code points. From utf8proc; characters younger than its Unicode version (15.0 in Debian
// 12) count as signs without case. The Rust crate behind transformers knows fewer: marks added since Unicode 10 that are stacked
// out of canonical order (U+1AC1 and the like) it leaves so, and nfc() sorts.
#pragma once
#include <string>
#include <string_view>

#include "core/utf8.h"

namespace hayate {

std::u32string nfc(std::u32string_view text);
std::u32string lowercase(std::u32string_view text);  // each character alone: no rule for a final sigma

bool is_space(char32_t c);   // \s
bool is_letter(char32_t c);  // \p{L}
bool is_number(char32_t c);  // \p{N}
inline bool is_word_character(char32_t c) { return c == U'_' || is_letter(c) || is_number(c); }

}  // namespace hayate
