// Values in eight bits. Rows of c bytes, one below the other; after the last, one float32 scale for each row. An element is what is stored
// times the scale of its row, and the largest of a row is stored as the largest number of the type.
#pragma once
#include "core/float8.h"
#include "core/shape.h"

namespace hayate {

constexpr float largest_of(Dtype quantized) { return quantized == Dtype::i8 ? 127.f : 448.f; }

// The scales start at a multiple of 16 bytes, since rows have a multiple of kQuantizedColumns elements.
constexpr int64_t kQuantizedColumns = 16;
constexpr int64_t scales_offset(const Shape& s) { return s.count(); }
constexpr int64_t scales_bytes(const Shape& s) { return s.rows() * int64_t(sizeof(float)); }

inline float to_float(int8_t x) { return float(x); }
template <> inline int8_t from_float<int8_t>(float x) { return int8_t(std::nearbyint(std::clamp(std::isnan(x) ? 0.f : x, -127.f, 127.f))); }

}  // namespace hayate
