// DoRA: a merged weight's rows or columns are brought to norms of their own. Liu et al., "DoRA: Weight-Decomposed Low-Rank Adaptation",
// arXiv 2402.09353.
#pragma once
#include <functional>
#include <mutex>

#include "weights/lora_factor.h"

namespace hayate {

class LoraMagnitude {
 public:
  // One number for each output, as peft and LyCORIS store them: (out), (out, 1, ..) or peft's (1, out, 1, 1); or one for each input, as LyCORIS first
  // did: (1, in, ..). Only part of the way is gone: weight 0.5 is halfway between the plain weight and the whole one.
  LoraMagnitude(std::shared_ptr<const SafetensorsFile>, const LoraModule&, const LoraTarget&, float weight);

  // Fills the span with elements of the merged weight from `first` on.
  using Merged = std::function<void(std::span<float>, int64_t first)>;
  // Measures the merged weight, once. Safe from many threads.
  void measure(const Merged&) const;
  // Of elements from `first` on, after measure().
  void apply(std::span<const float> plain, std::span<float> merged, int64_t first) const;

 private:
  int64_t group_of(int64_t element) const { return by_output_ ? element / columns_ : element % columns_ / area_; }

  std::shared_ptr<const SafetensorsFile> file_;
  std::string tensor_;
  int64_t rows_, columns_, area_;
  bool by_output_;
  float weight_;
  struct Factors {
    std::once_flag measured;
    std::vector<float> values;  // magnitude over norm
  };
  std::shared_ptr<Factors> factors_ = std::make_shared<Factors>();
};

}  // namespace hayate
