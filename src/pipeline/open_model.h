// The model that Options describe, found and opened.
#pragma once
#include <memory>

#include "hayate/hayate.h"
#include "weights/checkpoint.h"

namespace hayate {

// A file or folder, else a model of the hub's cache, else (no name at all) the built-in model; with the components that Options replace
// and the LoRAs that they add.
std::unique_ptr<Checkpoint> open_model(const Options&);

}  // namespace hayate
