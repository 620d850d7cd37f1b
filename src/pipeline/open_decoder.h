// What decodes latents: the model's VAE, or a tiny decoder in its place.
#pragma once
#include <memory>

#include "hayate/hayate.h"
#include "models/latent_decoder.h"
#include "weights/checkpoint.h"

namespace hayate {

struct OpenedDecoder {
  LatentDecoder network;
  std::shared_ptr<const TensorSource> tensors;
};

// Error(bad_model) for a tiny decoder of other latents, or whose tensors are not those of its config.
OpenedDecoder open_decoder(const Options&, const Checkpoint&);

}  // namespace hayate
