// Memory full of random numbers, for measuring algorithms.
#pragma once
#include <vector>

#include "backend/cuda/context.h"

namespace hayate::cuda {

class TestPattern {
 public:
  // One buffer for each size in bytes; every element is in +-[0.5, 2) in any float type.
  TestPattern(const Context& context, const std::vector<int64_t>& sizes) {
    for (int64_t bytes : sizes) {
      buffers_.push_back(bytes ? context.device->allocate(bytes) : Buffer{});
      if (bytes) launch_random_bits(context.stream(), buffers_.back().get(), bytes);
    }
  }
  void* get(size_t i) const { return buffers_[i].get(); }

 private:
  std::vector<Buffer> buffers_;
};

}  // namespace hayate::cuda
