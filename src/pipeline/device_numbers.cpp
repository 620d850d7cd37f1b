// Checked, and taken by the device as float32.
#include "pipeline/device_numbers.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>

#include "core/error.h"

namespace hayate {

void check_array(const DeviceArray& a, const std::vector<int64_t>& shape, const std::vector<float>& vector, const std::string& what) {
  require(a.shape == shape, ErrorKind::usage, "{} have shape ({}); expected ({})", what, fmt::join(a.shape, ", "), fmt::join(shape, ", "));
  require(a.strides.size() == shape.size(), ErrorKind::usage, "{} have {} strides for {} dimensions", what, a.strides.size(), shape.size());
  require(a.type >= FloatType::f32 && a.type <= FloatType::bf16, ErrorKind::usage, "{}: there is no type {} of floats", what, int(a.type));
  require(vector.empty(), ErrorKind::usage, "{} are given twice, as an array and as a vector; expected one of them", what);
}

int64_t count_of(const DeviceArray& a) { return std::accumulate(a.shape.begin(), a.shape.end(), int64_t{1}, std::multiplies()); }

void take_into(Backend& device, const Buffer& to, int64_t width, const DeviceArray& a, float factor, const std::string& what) {
  require(device.take(to, width, a, factor), ErrorKind::usage, "{} hold a number that is not finite", what);
}

Buffer taken(Backend& device, const DeviceArray& a, int64_t width, float factor, const std::string& what) {
  const int64_t bytes = count_of(a) / a.shape.back() * width * int64_t(sizeof(float));
  Buffer all = device.fill(bytes, [](std::span<std::byte> zeros) { std::ranges::fill(zeros, std::byte{}); });
  take_into(device, all, width, a, factor, what);
  return all;
}

std::vector<float> taken_to_host(Backend& device, const DeviceArray& a, const std::string& what) {
  std::vector<float> numbers(size_t(count_of(a)));
  device.download(std::as_writable_bytes(std::span(numbers)), taken(device, a, a.shape.back(), 1, what));
  return numbers;
}

DeviceArray copy_for_others(Backend& device, const DeviceArray& a, const std::string& what) {
  const Buffer copy = device.allocate_for_others(count_of(a) * int64_t(sizeof(float)));
  take_into(device, copy, a.shape.back(), a, 1, what);
  std::vector<int64_t> strides(a.shape.size(), 1);
  for (size_t i = a.shape.size() - 1; i > 0; --i) strides[i - 1] = strides[i] * a.shape[i];
  return {copy.data, FloatType::f32, a.shape, std::move(strides), device.gpu()};
}

}  // namespace hayate
