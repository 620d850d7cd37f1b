// The target of a request line: path and query, decoded.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace hayate::server {

struct Target {
  std::string path{};
  std::map<std::string, std::string> query{};
};
// Nothing for what is not a path: no leading slash, a broken escape, a zero byte.
std::optional<Target> parse_target(std::string_view);

}  // namespace hayate::server
