// The load values of one component on one device, prepared once and shared by every executable.
#pragma once
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "backend/backend.h"
#include "weights/device_tensors.h"

namespace hayate {

// The source has what the programs need (weights/check_tensors.h). Keyed by the source tensors and the chain of ops that made them from there, so executables of every resolution, batch
// and rung find what they share. Values that are only steps on the way (the parts of a stack) are not kept.
class PreparedWeights : public WeightStore {
 public:
  // Where it streams, programs are compiled so that streamed_values() are not kept.
  PreparedWeights(std::shared_ptr<Backend> backend, std::shared_ptr<const TensorSource> source, std::string what, bool streams = false)
      : backend_(std::move(backend)), source_(std::move(source)), what_(std::move(what)), streams_(streams), originals_(*backend_) {}

  Buffer get(const Program&, Value load_value) override;
  void stream(const Program&, Value load_value, const Buffer& out) override;
  void prepare(const Program&);  // all that it will get, one value on each core

  int64_t bytes() const { return bytes_; }

  // What prepare would add to bytes(), and what it takes beside that while it runs. Values that are in `counted` count nothing; others are
  // put there, so that programs that are prepared one after another can be counted together.
  struct Need {
    int64_t bytes = 0, loading = 0;
    int64_t streaming = 0;  // what a run takes beside its executable
  };
  Need need(const Program&, std::unordered_set<std::string>& counted) const;
  void release();  // forgets all values; their memory goes with the executables that use them

  // Reads from `source` from now on. The values that are made of the tensors in `changed` are made again, at the addresses that they have. Stored
  // tensors that the device makes them of are kept as far as there is room. After an exception some values are new and others are not: release() them.
  struct Changed {
    int64_t bytes = 0;                              // of those values
    int64_t read = 0;                               // bytes of stored tensors that were not kept
    double reading = 0, computing = 0, waiting = 0;  // seconds: files; until the device was told what to do; until it was done
  };
  Changed change(std::shared_ptr<const TensorSource> source, const std::set<std::string>& changed, Originals::Room = {});
  Originals& originals() { return originals_; }

 private:
  void announce(const Program&, Value) const;
  std::vector<Value> kept_values(const Program&) const;  // load values that ops read, but for streamed ones
  int64_t loading_bytes(const Program&, Value, const DeviceTensors&) const;
  // A value, and how it was made.
  struct Kept {
    Buffer buffer;
    std::shared_ptr<const Program> program;
    Value value;
  };
  Buffer keep(const std::string& key, Buffer made, const std::shared_ptr<const Program>& load, const std::string& name);
  struct Making {
    const Program* program;
    Value value;
    Buffer out;                        // where it is to lie, if it is known before
    std::vector<const Node*> tensors;  // that it is made of on the device
  };
  Making making(const Program&, Value, const DeviceTensors&, Buffer out = {}) const;
  void find_tensors(const Program&, Value, const DeviceTensors&, std::vector<const Node*>& found) const;
  // Of values that wait for nothing but kept ones.
  void make_all(std::vector<Making>&, DeviceTensors&) const;
  Buffer make(const Program&, Value, Buffer out, DeviceTensors&) const;
  DeviceTensors device_tensors() const { return {*backend_, *source_, originals_, what_}; }
  // Weights, what is computed of them on the host, and stacks of those are written where they are to lie; everything else is evaluated from
  // finished inputs.
  bool writes_in_place(const Program&, Value, const DeviceTensors&) const;
  void write(const Program&, Value, std::span<std::byte> out) const;
  void load_tensor(const Node& weight, std::span<std::byte> out) const;
  std::vector<float> read_exactly(const Node& weight) const;  // in float32
  void for_rows(const Node& matrix, const std::function<void(int64_t first, std::span<const float> rows)>& each) const;
  void load_folded(const Node& weight, Dtype dtype, std::span<std::byte> out) const;
  void scale_columns(const Program&, const Node&, std::span<std::byte> out) const;
  void row_dots(const Program&, const Node&, std::span<std::byte> out) const;

  std::shared_ptr<Backend> backend_;
  std::shared_ptr<const TensorSource> source_;
  std::string what_;  // the component, for messages
  bool streams_;
  mutable Originals originals_;
  std::unordered_map<std::string, Kept> kept_;
  int64_t bytes_ = 0;
};

}  // namespace hayate
