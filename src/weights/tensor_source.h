// Where named tensors come from: a checkpoint component, seeded random numbers, a test.
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/dtype.h"

namespace hayate {

class TensorSource;

// A matrix that is a stored tensor plus a product: left (rows, rank) times right (columns, rank) turned over.
struct SplitTensor {
  const TensorSource* stored;  // lives as long as the source that was asked
  int64_t rank;
  std::vector<float> left, right;
};

class TensorSource {
 public:
  virtual ~TensorSource() = default;
  virtual std::vector<std::string> names() const = 0;
  virtual bool has(const std::string& name) const = 0;
  virtual std::vector<int64_t> dims(const std::string& name) const = 0;  // as stored, row-major
  // The narrowest of f32, f16 and bf16 that holds what is stored; f32 for float64. Error(unsupported) for what is no weight: integers.
  virtual Dtype dtype(const std::string& name) const = 0;
  virtual std::string stored_as(const std::string& name) const { return name_of(dtype(name)); }  // for people: "f16", "f8_e4m3 scaled"
  // Fills `out` with elements from `first` on, in the stored order, converted to `as` (f32, f16 or bf16). Safe from many threads.
  virtual void read(const std::string& name, Dtype as, std::span<std::byte> out, int64_t first) const = 0;
  void read(const std::string& name, Dtype as, std::span<std::byte> out) const { read(name, as, out, 0); }
  // It will be read soon, whole: the system may fetch it meanwhile.
  virtual void announce(const std::string&) const {}
  // The rank of the product that read() adds to a stored tensor, 0 where it adds nothing; no number where it does something else.
  virtual std::optional<int64_t> added_rank(const std::string&) const { return 0; }
  // What it adds up, for who adds faster, where there is a rank.
  virtual SplitTensor split(const std::string&) const { return {this, 0, {}, {}}; }
};

}  // namespace hayate
