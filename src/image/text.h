// Text between the encodings of picture files.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace hayate {

// Text that is not UTF-8 is taken for Latin-1: a strange prompt must not cost the picture.
std::u32string code_points(std::string_view utf8);

std::optional<std::string> to_latin1(std::string_view utf8);  // nothing if Latin-1 cannot hold it
std::string from_latin1(std::string_view);

std::u16string to_utf16(std::string_view utf8);
std::string from_utf16(std::u16string_view);  // U+FFFD for half a pair

}  // namespace hayate
