// Devices by name.
#pragma once
#include <memory>

#include "backend/backend.h"
#include "hayate/hayate.h"

namespace hayate {

std::shared_ptr<Backend> make_backend(const Options&);  // Error(usage) that lists the names

}  // namespace hayate
