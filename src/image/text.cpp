// Encodings by way of code points.
#include "image/text.h"

#include <algorithm>

#include "core/utf8.h"

namespace hayate {

namespace {
bool is_high(char16_t unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool is_low(char16_t unit) { return unit >= 0xdc00 && unit < 0xe000; }
}  // namespace

std::u32string code_points(std::string_view utf8) {
  auto bytes = reinterpret_cast<const unsigned char*>(utf8.data());
  return from_utf8(utf8).value_or(std::u32string(bytes, bytes + utf8.size()));
}

std::optional<std::string> to_latin1(std::string_view utf8) {
  std::u32string points = code_points(utf8);
  if (std::ranges::any_of(points, [](char32_t point) { return point > 0xff; })) return std::nullopt;
  return std::string(points.begin(), points.end());
}

std::string from_latin1(std::string_view latin1) {
  std::u32string points;
  for (char c : latin1) points += char32_t(uint8_t(c));
  return to_utf8(points);
}

std::u16string to_utf16(std::string_view utf8) {
  std::u16string units;
  for (char32_t point : code_points(utf8)) {
    if (point >= 0x10000) units += char16_t(0xd800 + ((point - 0x10000) >> 10));
    units += char16_t(point >= 0x10000 ? 0xdc00 + ((point - 0x10000) & 0x3ff) : point);
  }
  return units;
}

std::string from_utf16(std::u16string_view units) {
  std::u32string points;
  for (size_t i = 0; i < units.size(); ++i) {
    bool pair = is_high(units[i]) && i + 1 < units.size() && is_low(units[i + 1]), half = !pair && (is_high(units[i]) || is_low(units[i]));
    points += pair ? 0x10000 + (char32_t(units[i] - 0xd800) << 10) + (units[i + 1] - 0xdc00) : half ? U'\ufffd' : char32_t(units[i]);
    i += pair;
  }
  return to_utf8(points);
}

}  // namespace hayate
