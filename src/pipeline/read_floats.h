// Values of an executable as float32 on the host.
#pragma once
#include <vector>

#include "backend/backend.h"
#include "core/convert.h"

namespace hayate {

inline std::vector<float> read_floats(Executable& exec, Value v) {
  const Node& n = exec.program()[v];
  std::vector<float> floats(size_t(n.shape.count()));
  if (n.dtype == Dtype::f32) {
    exec.read(n.name, std::as_writable_bytes(std::span(floats)));
    return floats;
  }
  std::vector<std::byte> stored(size_t(byte_size(n)));
  exec.read(n.name, stored);
  convert(n.dtype, stored, Dtype::f32, std::as_writable_bytes(std::span(floats)));
  return floats;
}

}  // namespace hayate
