// UTF-8 into code points and back.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace hayate {

std::optional<std::u32string> from_utf8(std::string_view text);  // nothing if the text is not UTF-8
std::string to_utf8(std::u32string_view text);
std::string replace_invalid_utf8(std::string_view text);  // U+FFFD for each byte that is not part of a character

}  // namespace hayate
