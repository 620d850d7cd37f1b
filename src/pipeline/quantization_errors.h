// How far the UNet's output moves when layers of one kind are in 8 bits.
#pragma once
#include "hayate/quantization.h"
#include "pipeline/component.h"

namespace hayate {

struct UNetCall {
  std::function<Program()> record;         // the UNet's output is its last one
  std::function<void(Executable&)> write;  // all inputs
};

// For each rung of 8 bits that the device has and each kind of linear that it can quantize: the call with only those, then with all linears, only
// convolutions, and all. Weights of all
// of these are kept until it is done.
std::vector<LayersError> quantization_errors(const UNetCall&, std::shared_ptr<const TensorSource>, const Compiler&);

}  // namespace hayate
