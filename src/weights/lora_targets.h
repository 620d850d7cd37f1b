// Which weight of a model a LoRA's module is for, under every name that the common programs give to it.
#pragma once
#include <string>
#include <unordered_map>

#include "weights/checkpoint.h"

namespace hayate {

class LoraTargets {
 public:
  struct Target {
    std::string component, weight;  // "unet", "conv_in.weight"
  };
  explicit LoraTargets(const Checkpoint&);  // its UNet and text encoders

  const Target* find(const std::string& module) const;  // nullptr: the model has no such module

 private:
  std::unordered_map<std::string, Target> targets_;
};

}  // namespace hayate
