// On top of utf8proc.
#include "tokenizer/unicode.h"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>
#include <new>

#include "core/error.h"

namespace hayate {
namespace {

utf8proc_category_t category(char32_t c) { return utf8proc_category(utf8proc_int32_t(c)); }

}  // namespace

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
