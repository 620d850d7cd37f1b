// What a request brings as arrays, and what it takes away, in memory of the device.
#pragma once
#include <string>
#include <vector>

#include "backend/backend.h"

namespace hayate {

// Error(usage) that names `what` unless the array has this shape and strides to it, and nothing comes beside it from `vector`.
void check_array(const DeviceArray&, const std::vector<int64_t>& shape, const std::vector<float>& vector, const std::string& what);

// The array's numbers times `factor` at the beginning of rows of `width` on the device, all else zeros. Error(usage) where one is not finite.
Buffer taken(Backend&, const DeviceArray&, int64_t width, float factor, const std::string& what);
std::vector<float> taken_to_host(Backend&, const DeviceArray&, const std::string& what);
// Into a place that is there.
void take_into(Backend&, const Buffer& to, int64_t width, const DeviceArray&, float factor, const std::string& what);

// A copy on the device, in order, as float32, for whoever keeps it.
DeviceArray copy_for_others(Backend&, const DeviceArray&, const std::string& what);

int64_t count_of(const DeviceArray&);

}  // namespace hayate
