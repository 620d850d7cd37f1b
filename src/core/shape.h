// Shapes. Every tensor in a Program has four dimensions, channels last.
#pragma once
#include <fmt/format.h>

#include <cstdint>
#include <string>

namespace hayate {

// Image (n, h, w, c); tokens (n, h, w, c) with h*w tokens; text (n, 1, tokens, c); a matrix (1, 1, rows, columns).
struct Shape {
  int64_t n = 1, h = 1, w = 1, c = 1;
  constexpr int64_t tokens() const { return h * w; }
  constexpr int64_t rows() const { return n * h * w; }
  constexpr int64_t count() const { return rows() * c; }
  bool operator==(const Shape&) const = default;
};

inline std::string to_string(const Shape& s) { return fmt::format("({}, {}, {}, {})", s.n, s.h, s.w, s.c); }

}  // namespace hayate
