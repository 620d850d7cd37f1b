// On top of utf8proc.
#include "core/utf8.h"

#include <utf8proc.h>

namespace hayate {
namespace {

struct Decoded {
  char32_t c;
  size_t length;  // bytes; 0: not UTF-8
};

Decoded decode_first(std::string_view text) {
  utf8proc_int32_t c = 0;
  utf8proc_ssize_t length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), utf8proc_ssize_t(text.size()), &c);
  return length > 0 ? Decoded{char32_t(c), size_t(length)} : Decoded{U'\ufffd', 0};
}

}  // namespace

std::optional<std::u32string> from_utf8(std::string_view text) {
  std::u32string out;
  while (!text.empty()) {
    Decoded next = decode_first(text);
    if (next.length == 0) return std::nullopt;
    out += next.c;
    text.remove_prefix(next.length);
  }
  return out;
}

std::string to_utf8(std::u32string_view text) {
  std::string out;
  for (char32_t c : text) {
    utf8proc_uint8_t bytes[4];
    out.append(reinterpret_cast<char*>(bytes), size_t(utf8proc_encode_char(utf8proc_int32_t(c), bytes)));
  }
  return out;
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    Decoded next = decode_first(text);
    size_t length = std::max<size_t>(next.length, 1);
    if (next.length == 0)
      out += "\ufffd";
    else
      out += text.substr(0, length);
    text.remove_prefix(length);
  }
  return out;
}

}  // namespace hayate
