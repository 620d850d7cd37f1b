// Results that are not finite are errors that name the value where that began.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "backend/backend.h"

namespace hayate {

bool all_finite(const std::vector<float>& values);

// Throws Error(not_finite) that names `what` if a value is infinite or NaN. `repeat` then computes it again in an executable that keeps
// all values, so that the error can also name the first of those; where memory is not enough for that, or `repeat` is empty, it does not.
void require_finite(const std::vector<float>& values, const std::string& what, const std::function<std::shared_ptr<Executable>()>& repeat);
[[noreturn]] void fail_not_finite(const std::string& what, const std::function<std::shared_ptr<Executable>()>& repeat);  // where that is known

}  // namespace hayate
