// What a LoRA adds to one weight.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "weights/lora_file.h"

namespace hayate {

// scale * up x down for a weight of `out` rows, the other dims of a convolution side by side as its columns; with a filter between them,
// scale * sum over p, q of up[o, p] * mid[p, q, y, x] * down[q, i]. Nothing is kept in memory.
class LoraDelta {
 public:
  // For a weight of these dims, 2 or 4. The scale is weight * alpha / rank; an alpha that is missing or 0 is the rank, as in kohya's scripts.
  // Error(bad_model) if the shapes do not fit.
  LoraDelta(std::shared_ptr<const SafetensorsFile> file, const LoraModule& module, const std::string& target, const std::vector<int64_t>& dims,
            float weight);

  // Adds elements from `first` on, in the stored order. Each is the same whatever range it is in. Error(not_finite) that names the tensor.
  void add_to(std::span<float> out, int64_t first) const;

 private:
  std::vector<float> read(const std::string& tensor, int64_t first, int64_t count) const;
  std::vector<float> left_rows(int64_t first, int64_t count) const;

  std::shared_ptr<const SafetensorsFile> file_;
  std::string down_, up_, mid_;
  int64_t rank_ = 0;      // rows of down
  int64_t up_rank_ = 0;   // columns of up
  int64_t columns_ = 0;   // of the weight
  int64_t area_ = 1;      // of the filter between, else 1
  float scale_ = 0;
};

}  // namespace hayate
