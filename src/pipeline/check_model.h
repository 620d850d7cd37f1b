// Whether the components of a model are whole and belong together.
#pragma once
#include "models/families.h"
#include "weights/checkpoint.h"

namespace hayate {

// Looks at configs, names and shapes, and reads no weights. Error(bad_model) lists what does not fit; Error(unsupported) for a UNet that
// reads more than a latent.
void check_model(const Checkpoint&, const Family&);

}  // namespace hayate
