// In which 8-bit type an op is fastest.
#pragma once
#include <functional>
#include <optional>

#include "passes/passes.h"

namespace hayate {

struct Narrow {
  Node node;
  double seconds;  // with what makes its factors; 0 where nothing is measured
};

// `wide` itself if it may stay and nothing is faster. `narrow` makes it of a type, or nothing if the device has no way to it; both measure only if they are
// asked to.
Node of_fastest_type(const Node& wide, const PassOptions&, const std::function<double()>& wide_seconds,
                     const std::function<std::optional<Narrow>(Dtype, bool measure)>& narrow);

}  // namespace hayate
