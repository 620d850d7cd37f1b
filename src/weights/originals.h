// Stored tensors that are kept where a device reads them fast, since LoRAs that take turns need them again.
#pragma once
#include <map>
#include <mutex>
#include <string>

#include "backend/backend.h"

namespace hayate {

class Originals {
 public:
  explicit Originals(Backend& backend) : backend_(backend) {}

  // Bytes that may be taken beside those that are: of the device, and of the host in a place that the device reads.
  struct Room {
    int64_t device = 0, host = 0;
  };
  // What is read from now on is kept as far as there is room, on the device first.
  void allow(Room);

  struct Tensor {
    Buffer bytes;
    Dtype dtype;
  };
  // A tensor that is kept, or what `read` reads. Safe from many threads, each with a tensor of its own.
  Tensor get(const std::string& name, Dtype, int64_t count, const std::function<void(std::span<std::byte>)>& read);
  bool has(const std::string& name) const;
  void clear();

  struct Bytes {
    int64_t device = 0, host = 0;  // that are kept
    int64_t read = 0;              // that were read since allow()
  };
  Bytes bytes() const;

 private:
  enum class Place : uint8_t { device, host, nowhere };
  Place reserve(int64_t bytes);

  Backend& backend_;
  mutable std::mutex mutex_;
  Room room_;
  Bytes bytes_;
  std::map<std::string, Tensor> kept_;
};

}  // namespace hayate
