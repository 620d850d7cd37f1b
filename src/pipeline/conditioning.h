// What the UNet is told about each picture of a batch.
#pragma once
#include <memory>
#include <vector>

#include "hayate/hayate.h"
#include "models/families.h"
#include "pipeline/text_encoder.h"

namespace hayate {

struct Conditioning {
  int64_t tokens = 0, width = 0, pooled_width = 0;
  std::vector<float> hidden{};  // (b, tokens, width); b is pictures, or twice that with the unconditional half first
  std::vector<float> pooled{};  // (b, pooled_width)
  std::vector<float> time_ids{};  // (b, 6): original height and width, crop top and left, target height and width
};

class Conditioner {
 public:
  Conditioner(const Checkpoint&, const Family&, const Compiler&);

  // Sizes of zero in a picture's micro-conditioning become height x width.
  Conditioning condition(const Request&, int width, int height, bool guided, const std::function<void(const std::string&)>& warn, Dump&,
                         CompileSeconds&);

  const std::vector<std::unique_ptr<TextEncoder>>& encoders() const { return encoders_; }

 private:
  bool zero_empty_negative_;
  std::vector<std::unique_ptr<TextEncoder>> encoders_;
};

}  // namespace hayate
