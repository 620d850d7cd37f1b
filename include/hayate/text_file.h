// Text files that appear whole or not at all.
#pragma once
#include <string>
#include <string_view>

namespace hayate {

// Replaces what is there, on disk before it is visible; a link is followed. Error(usage) for what exists and is not a regular file, else
// Error(io).
void write_text_file(const std::string& path, std::string_view text);

}  // namespace hayate
