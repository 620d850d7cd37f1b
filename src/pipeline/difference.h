// How far apart two values are.
#pragma once
#include <span>

#include "hayate/hayate.h"

namespace hayate {

// Infinite where a value is NaN, or infinite on one side only. Of the same size.
Difference difference(const std::string& name, std::span<const float> a, std::span<const float> b);

}  // namespace hayate
