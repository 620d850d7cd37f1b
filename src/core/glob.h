// Shell-like patterns over value names.
#pragma once
#include <string_view>

namespace hayate {

// `*` stands for any characters, none and dots included; `?` for exactly one. Everything else stands for itself.
bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace hayate
