// Which layers a rung that quantizes may quantize.
#pragma once
#include <string>
#include <vector>

#include "program/program.h"

namespace hayate {

struct Quantization {
  enum class Layers : uint8_t {
    gains,    // those that measure faster; where nothing is measured, all
    all,
    article,  // by the sizes that "Accelerate inference of text-to-image diffusion models" leaves out (huggingface/diffusion-fast)
    matching  // those with a name that a pattern fits
  };
  Layers layers = Layers::gains;
  bool convolutions = false;               // the UNet's 3x3 convolutions too
  std::vector<std::string> patterns = {};  // globs on layer names, e.g. "*.attn1.to_q"

  bool allows(const std::string& layer, int64_t in, int64_t out) const;  // in, out: columns
  bool operator==(const Quantization&) const = default;
};

}  // namespace hayate
