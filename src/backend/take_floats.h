// Arrays in the memory of the host, of any type and order, as float32 in order.
#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "core/dtype.h"
#include "hayate/device_array.h"

namespace hayate {

// As Backend::take().
bool take_floats(std::span<float> to, int64_t width, const DeviceArray& from, float factor);

// The array as one of four dimensions, those in front of one element; numbers are counted, so that they fit `room` rows of `width`: else
// Error(internal).
struct FourDimensions {
  std::array<int64_t, 4> shape, strides;
  int64_t count() const { return shape[0] * shape[1] * shape[2] * shape[3]; }
};
FourDimensions four_dimensions(const DeviceArray&, int64_t width, int64_t room);

constexpr Dtype dtype_of(FloatType t) { return t == FloatType::f32 ? Dtype::f32 : t == FloatType::f16 ? Dtype::f16 : Dtype::bf16; }

}  // namespace hayate
