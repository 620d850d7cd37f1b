// What is said of a tensor with a value that is not finite.
#pragma once
#include <string>

#include "core/error.h"
#include "core/finite.h"

namespace hayate {

// `what`: the component that it is of.
inline void require_finite(const std::string& what, const std::string& tensor, bool finite, Dtype dtype) {
  require(finite, ErrorKind::not_finite, "{}: tensor {} holds a value that is not finite in {}", what, tensor, name_of(dtype));
}
inline void require_finite(const std::string& what, const std::string& tensor, std::span<const std::byte> read, Dtype dtype) {
  require_finite(what, tensor, all_finite(read, dtype), dtype);
}

}  // namespace hayate
