// Numbers that lie in memory of someone else, on the host or on a GPU: how they come in and go out without a trip through the host.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace hayate {

enum class FloatType : uint8_t { f32, f16, bf16 };

// On a GPU: what comes in must be there for whoever waits for its legacy default stream, as DLPack has it; what comes out is there, on any stream.
struct DeviceArray {
  std::shared_ptr<const void> data{};  // the first number; the memory lasts as long as the last copy of this
  FloatType type = FloatType::f32;
  std::vector<int64_t> shape{};        // four dimensions at most
  std::vector<int64_t> strides{};      // of each dimension, numbers from one to the next: of any size and sign
  int gpu = -1;                        // its number, as in "cuda:0"; -1: memory of the host

  explicit operator bool() const { return data != nullptr; }

  // What has this index in the first dimension; `shape` must have such.
  DeviceArray operator[](int64_t index) const {
    const ptrdiff_t bytes = ptrdiff_t(index * strides[0]) * (type == FloatType::f32 ? 4 : 2);
    return {{data, static_cast<const std::byte*>(data.get()) + bytes}, type, {shape.begin() + 1, shape.end()}, {strides.begin() + 1, strides.end()}, gpu};
  }
};

}  // namespace hayate
