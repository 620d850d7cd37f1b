// On a mismatch only the last star takes one character more: earlier stars never need to, so time is at most the product of the lengths.
#include "core/glob.h"

namespace hayate {

bool glob_match(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0, after_star = pattern.npos, star_end = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      after_star = ++p;
      star_end = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p, ++t;
    } else if (after_star != pattern.npos) {
      p = after_star;
      t = ++star_end;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace hayate
