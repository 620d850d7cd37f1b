// Numbers of bytes as people write and read them.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hayate {

// "8GiB", "8G" and "8GB" are all 2^33, as are other units from K to T in any case; "8589934592" too. Nothing for zero, a sign, a
// fraction, another text, or more than 64 bits.
std::optional<int64_t> parse_size(std::string_view text);

// "7.35 GiB", "12 MiB", "1020 KiB", "128 bytes".
std::string size_text(int64_t bytes);

}  // namespace hayate
