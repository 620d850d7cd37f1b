// How far apart the values of two dumps are.
#include <cmath>
#include <limits>

#include "core/error.h"
#include "pipeline/difference.h"
#include "weights/safetensors.h"

namespace hayate {
namespace {

std::vector<float> read_values(const SafetensorsFile& dump, const std::string& name) {
  int64_t count = 1;
  for (int64_t dim : dump.dims(name)) count *= dim;  // cannot overflow: the file was checked
  std::vector<float> values(static_cast<size_t>(count));
  dump.read(name, Dtype::f32, std::as_writable_bytes(std::span(values)));
  return values;
}

}  // namespace

Difference difference(const std::string& name, std::span<const float> a, std::span<const float> b) {
  double squared_error = 0, squared_norm = 0, max_abs = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    const double error = a[i] == b[i] ? 0 : double(a[i]) - double(b[i]);  // equal infinities do not differ
    squared_error += error * error;
    squared_norm += std::isinf(b[i]) ? 0 : double(b[i]) * double(b[i]);
    max_abs = std::max(max_abs, std::abs(error));
  }
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (!(squared_error < infinity)) return {name, infinity, infinity};  // a NaN, or an infinity on one side only
  return {name, squared_error == 0 ? 0 : std::sqrt(squared_error / squared_norm), max_abs};
}

std::vector<Difference> compare_dumps(const std::string& path_a, const std::string& path_b) {
  const SafetensorsFile a(path_a), b(path_b);
  std::vector<Difference> differences;
  for (const StoredTensor& tensor : b.tensors()) {
    if (!a.has(tensor.name)) continue;
    const std::vector<float> values_a = read_values(a, tensor.name), values_b = read_values(b, tensor.name);
    require(values_a.size() == values_b.size(), ErrorKind::usage, "{} has shape ({}) in {} and ({}) in {}: dumps of one request were expected",
            tensor.name, fmt::join(a.dims(tensor.name), ", "), path_a, fmt::join(tensor.dims, ", "), path_b);
    differences.push_back(difference(tensor.name, values_a, values_b));
  }
  require(!differences.empty(), ErrorKind::usage, "{} and {} have no value name in common", path_a, path_b);
  return differences;
}

}  // namespace hayate
