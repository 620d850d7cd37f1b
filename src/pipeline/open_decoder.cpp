// A tiny decoder takes the latents of the VAE that it was made for; of that only their shape can be checked.
#include "pipeline/open_decoder.h"

#include "core/error.h"
#include "models/tiny_decoder.h"
#include "models/vae.h"
#include "weights/check_tensors.h"
#include "weights/tiny_decoder_file.h"

namespace hayate {

OpenedDecoder open_decoder(const Options& options, const Checkpoint& model) {
  LatentDecoder vae = vae_decoder(parse_vae_config(model.config("vae")));
  if (options.tiny_decoder.empty()) return {std::move(vae), model.tensors("vae")};
  const TinyDecoderFile file = open_tiny_decoder(options.tiny_decoder);
  LatentDecoder tiny = tiny_decoder(parse_tiny_decoder_config(file.config));
  require(tiny.latent_channels == vae.latent_channels && tiny.downscale == vae.downscale, ErrorKind::bad_model,
          "{}: reads latents of {} channels and enlarges them {} times; the model's have {} and are enlarged {} times", options.tiny_decoder,
          tiny.latent_channels, tiny.downscale, vae.latent_channels, vae.downscale);
  check_tensors(*file.tensors, {tiny.whole(1, 8, 8)}, {}, options.tiny_decoder);
  return {std::move(tiny), file.tensors};
}

}  // namespace hayate
