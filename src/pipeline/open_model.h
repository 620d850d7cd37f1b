// The model that Options describe, found and opened.
#pragma once
#include <memory>

#include "hayate/hayate.h"
#include "weights/lora_checkpoint.h"

namespace hayate {

// A file or folder, else a model of the hub's cache, else (no name at all) the built-in model; with the components that Options replace.
std::unique_ptr<Checkpoint> open_base(const Options&);
std::unique_ptr<Checkpoint> open_refiner(const Options&);  // which nothing of the options replaces parts of
// Error(usage) for a weight that is not finite.
std::vector<WeightedLora> weighted(const std::vector<Lora>&);
// The same with the LoRAs that Options add.
std::unique_ptr<Checkpoint> open_model(const Options&);

}  // namespace hayate
