// Architectures at full size with seeded random weights, so that speed can be measured where no checkpoint is at hand.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/shape.h"
#include "weights/checkpoint.h"

namespace hayate {

std::vector<std::string> random_families();
// Reads no file but the tokenizers, which are those of `tokenizers`. The weights are made so that errors show: norm weights
// 1 +- 0.2, biases far from zero, products of about unit gain, queries and keys that make attention peaky.
// Error(usage) for a family that is not there.
std::unique_ptr<Checkpoint> random_model(const std::string& family, std::unique_ptr<Checkpoint> tokenizers);

// Tensors made in the same way, by name.
std::shared_ptr<const TensorSource> random_tensors(std::map<std::string, Shape>);

}  // namespace hayate
