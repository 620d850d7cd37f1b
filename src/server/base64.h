// Base64 (RFC 4648, section 4).
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hayate::server {

std::string to_base64(std::span<const std::byte>);
inline std::string to_base64(std::string_view bytes) { return to_base64(std::as_bytes(std::span(bytes))); }
// Nothing for what is not base64. Missing padding is forgiven.
std::optional<std::string> from_base64(std::string_view);

}  // namespace hayate::server
