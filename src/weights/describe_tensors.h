// What a set of named tensors looks like, for messages about a file that is something else than was expected.
#pragma once
#include <string>

#include "weights/tensor_source.h"

namespace hayate {

// "a LoRA", "the autoencoder (VAE) of a model", "16 tensors, of which the first is ...".
std::string describe_tensors(const TensorSource&);

}  // namespace hayate
