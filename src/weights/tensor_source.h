// Where named tensors come from: a checkpoint component, seeded random numbers, a test.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/dtype.h"

namespace hayate {

class TensorSource {
 public:
  virtual ~TensorSource() = default;
  virtual std::vector<std::string> names() const = 0;
  virtual bool has(const std::string& name) const = 0;
  virtual std::vector<int64_t> dims(const std::string& name) const = 0;         // as stored, row-major
  // Reads the whole tensor, converted to `as` (f32, f16 or bf16); `out` has product(dims) elements.
  virtual void read(const std::string& name, Dtype as, std::span<std::byte> out) const = 0;
};

}  // namespace hayate
