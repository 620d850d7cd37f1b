// Throwing with a formatted message, and checked size arithmetic.
#pragma once
#include <fmt/format.h>

#include <cstdint>

#include "hayate/error.h"

namespace hayate {

template <class... Args>
[[noreturn]] void fail(ErrorKind kind, fmt::format_string<Args...> text, Args&&... args) {
  throw Error(kind, fmt::format(text, std::forward<Args>(args)...));
}

template <class... Args>
void require(bool condition, ErrorKind kind, fmt::format_string<Args...> text, Args&&... args) {
  if (!condition) fail(kind, text, std::forward<Args>(args)...);
}

// Products and sums of sizes that come from outside. `what` names the thing in the message.
inline int64_t checked_mul(int64_t a, int64_t b, const char* what) {
  int64_t r = 0;
  require(!__builtin_mul_overflow(a, b, &r), ErrorKind::bad_file, "{}: size overflows 64 bits ({} * {})", what, a, b);
  return r;
}
inline int64_t checked_add(int64_t a, int64_t b, const char* what) {
  int64_t r = 0;
  require(!__builtin_add_overflow(a, b, &r), ErrorKind::bad_file, "{}: size overflows 64 bits ({} + {})", what, a, b);
  return r;
}

}  // namespace hayate
