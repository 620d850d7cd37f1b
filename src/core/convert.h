// Arrays of one element type into another.
#pragma once
#include <cstddef>
#include <span>

#include "core/dtype.h"

namespace hayate {

// Between f32, f16 and bf16, rounding as core/dtype.h does. Both spans hold the same number of elements, are aligned for them and
// do not overlap. Runs on the calling thread.
void convert(Dtype from, std::span<const std::byte> in, Dtype to, std::span<std::byte> out);

// The same from any storage type: float, f16, bf16, double, f8_e4m3, f8_e5m2.
template <class From>
void convert_from(std::span<const std::byte> in, Dtype to, std::span<std::byte> out);
using Converter = void (*)(std::span<const std::byte> in, Dtype to, std::span<std::byte> out);

}  // namespace hayate
