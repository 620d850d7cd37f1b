// Percent escapes (RFC 3986, section 2.1).
#include "server/target.h"

#include <algorithm>
#include <charconv>

namespace hayate::server {

namespace {

std::optional<std::string> decoded(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned value = uint8_t(text[i]);
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const char* digits = text.data() + i + 1;
      auto [end, error] = std::from_chars(digits, digits + 2, value, 16);
      if (error != std::errc{} || end != digits + 2) return std::nullopt;
      i += 2;
    }
    if (value == 0) return std::nullopt;
    plain += char(value);
  }
  return plain;
}

}  // namespace

std::optional<Target> parse_target(std::string_view text) {
  text = text.substr(0, text.find('#'));
  const size_t question = text.find('?');
  std::optional<std::string> path = decoded(text.substr(0, question));
  if (!path || !path->starts_with('/')) return std::nullopt;
  Target target{.path = std::move(*path)};
  std::string_view rest = question == text.npos ? std::string_view() : text.substr(question + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    const size_t equals = pair.find('=');
    std::optional<std::string> name = decoded(pair.substr(0, equals)), value = decoded(equals == pair.npos ? "" : pair.substr(equals + 1));
    if (!name || !value) return std::nullopt;
    target.query[*name] = *value;
  }
  return target;
}

}  // namespace hayate::server
