// Powers of 1024, whatever the unit is called: that is how memory comes.
#include "hayate/byte_size.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace hayate {
namespace {

constexpr std::string_view units = "KMGT";

}  // namespace

std::optional<int64_t> parse_size(std::string_view text) {
  int64_t count = 0;
  auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || count <= 0) return std::nullopt;
  std::string unit(rest, text.data() + text.size());
  std::ranges::transform(unit, unit.begin(), [](unsigned char c) { return char(std::toupper(c)); });
  int shift = 0;
  if (!unit.empty() && unit != "B") {
    const size_t power = units.find(unit[0]);
    const std::string_view ending = std::string_view(unit).substr(1);
    if (power == units.npos || !(ending.empty() || ending == "B" || ending == "IB")) return std::nullopt;
    shift = 10 * (int(power) + 1);
  }
  if (count > INT64_MAX >> shift) return std::nullopt;
  return count << shift;
}

std::string size_text(int64_t bytes) {
  if (bytes < 1024) return fmt::format("{} bytes", bytes);
  double size = double(bytes) / 1024;
  size_t unit = 0;
  for (; size >= 1024 && unit + 1 < units.size(); ++unit) size /= 1024;
  return fmt::format("{:.{}g} {}iB", size, size < 1000 ? 3 : 4, units[unit]);
}

}  // namespace hayate
