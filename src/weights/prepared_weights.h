// The load values of one component on one device, prepared once and shared by every executable.
#pragma once
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "backend/backend.h"
#include "weights/tensor_source.h"

namespace hayate {

// The source has what the programs need (weights/check_tensors.h). Keyed by the source tensors and the chain of ops that made them from there, so executables of every resolution, batch
// and rung find what they share. Values that are only steps on the way (the parts of a stack) are not kept.
class PreparedWeights : public WeightStore {
 public:
  PreparedWeights(std::shared_ptr<Backend> backend, std::shared_ptr<const TensorSource> source, std::string what)
      : backend_(std::move(backend)), source_(std::move(source)), what_(std::move(what)) {}

  Buffer get(const Program&, Value load_value) override;
  void prepare(const Program&);  // all that it will get, one value on each core

  int64_t bytes() const { return bytes_; }

  // What prepare would add to bytes(), and what it takes beside that while it runs. Values that are in `counted` count nothing; others are
  // put there, so that programs that are prepared one after another can be counted together.
  struct Need { int64_t bytes = 0, loading = 0; };
  Need need(const Program&, std::unordered_set<std::string>& counted) const;
  void release();  // forgets all values; their memory goes with the executables that use them

  // Reads from `source` from now on. The values that are made of the tensors in `changed` are made again, at the addresses that they have; returns
  // their bytes. After an exception some of them are new and others are not: release() them.
  int64_t change(std::shared_ptr<const TensorSource> source, const std::set<std::string>& changed);

 private:
  int64_t loading_bytes(const Program&, Value) const;
  // A value, and how it was made.
  struct Kept {
    Buffer buffer;
    std::shared_ptr<const Program> program;
    Value value;
  };
  Buffer keep(const std::string& key, Buffer made, const std::shared_ptr<const Program>& load, const std::string& name);
  Buffer make(const Program&, Value) const;
  // Weights, what is computed of them on the host, and stacks of those are written where they are to lie; everything else is evaluated from
  // finished inputs.
  bool writes_in_place(const Program&, Value) const;
  void write(const Program&, Value, std::span<std::byte> out) const;
  void load_tensor(const Node& weight, std::span<std::byte> out) const;
  std::vector<float> read_exactly(const Node& weight) const;  // in float32
  void for_rows(const Node& matrix, const std::function<void(int64_t first, std::span<const float> rows)>& each) const;
  void load_folded(const Node& weight, Dtype dtype, std::span<std::byte> out) const;
  void scale_columns(const Program&, const Node&, std::span<std::byte> out) const;
  void row_dots(const Program&, const Node&, std::span<std::byte> out) const;
  void require_finite(const Node& tensor, std::span<const std::byte> read, Dtype) const;

  std::shared_ptr<Backend> backend_;
  std::shared_ptr<const TensorSource> source_;
  std::string what_;  // the component, for messages
  std::unordered_map<std::string, Kept> kept_;
  int64_t bytes_ = 0;
};

}  // namespace hayate
