// On top of utf8proc.
#include "tokenizer/unicode.h"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>
#include <new>

#include "core/error.h"

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

utf8proc_category_t category(char32_t c) { return utf8proc_category(utf8proc_int32_t(c)); }

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

std::u32string nfc(std::u32string_view text) {
  std::string bytes = to_utf8(text);
  utf8proc_uint8_t* normalized = nullptr;
  utf8proc_ssize_t length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(bytes.data()), utf8proc_ssize_t(bytes.size()), &normalized,
                                         utf8proc_option_t(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(normalized, &std::free);
  if (length == UTF8PROC_ERROR_NOMEM) throw std::bad_alloc();
  require(length >= 0, ErrorKind::internal, "Unicode normalization failed: {}", utf8proc_errmsg(length));
  return *from_utf8({reinterpret_cast<const char*>(normalized), size_t(length)});
}

std::u32string lowercase(std::u32string_view text) {
  std::u32string out;
  for (char32_t c : text) {
    if (c == U'\u0130')
      out += U"i\u0307";  // the only character whose lower case is two
    else
      out += char32_t(utf8proc_tolower(utf8proc_int32_t(c)));
  }
  return out;
}

bool is_space(char32_t c) {
  if ((c >= U'\t' && c <= U'\r') || c == U'\u0085') return true;
  utf8proc_category_t k = category(c);
  return k == UTF8PROC_CATEGORY_ZS || k == UTF8PROC_CATEGORY_ZL || k == UTF8PROC_CATEGORY_ZP;
}

bool is_letter(char32_t c) {
  utf8proc_category_t k = category(c);
  return k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO;  // LU LL LT LM LO
}

bool is_number(char32_t c) {
  utf8proc_category_t k = category(c);
  return k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO;  // ND NL NO
}

}  // namespace hayate
