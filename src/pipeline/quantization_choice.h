// Which layers are quantized, as users say it.
#pragma once
#include <string>

#include "passes/quantization.h"

namespace hayate {

// "gains", "all", "article", or a file with a glob on layer names in each line; empty lines and those that begin with # say nothing.
// Error(usage) for what is none of these.
Quantization read_quantization(const std::string& choice, bool convolutions);

}  // namespace hayate
