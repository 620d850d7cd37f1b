// Devices by name.
#pragma once
#include <memory>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "hayate/hayate.h"

namespace hayate {

// The one that Options::device names, or two: the second one computes a half of guidance. Error(usage) for another name.
std::vector<std::shared_ptr<Backend>> make_backends(const Options&);

bool is_cuda(std::string_view device);  // by its name

}  // namespace hayate
