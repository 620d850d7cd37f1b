// Each network is recorded whole, at a small size: its weights are the tensors that there have to be.
#include "pipeline/check_model.h"

#include "core/error.h"
#include "models/clip_text.h"
#include "models/denoise_step.h"
#include "models/vae.h"
#include "weights/check_tensors.h"

namespace hayate {
namespace {

std::string name_of(const Checkpoint& model, const std::string& component) { return model.path() + ": " + component; }

// A projection is allowed where it is not needed: CLIPTextModel leaves it out, some files keep it.
ClipTextConfig check_text_encoder(const Checkpoint& model, const std::string& component, bool projects) {
  const ClipTextConfig config = parse_clip_text_config(model.config(component));
  const Program plain = record_clip_text(config, {.final_norm = true}, 1, config.max_tokens);
  const auto tensors = model.tensors(component);
  const bool has_projection = projects || tensors->has("text_projection.weight");
  const Program whole = has_projection ? record_clip_text(config, {.pooled = true}, 1, config.max_tokens) : plain;
  check_tensors(*tensors, {projects ? whole : plain}, {whole}, name_of(model, component));
  return config;
}

}  // namespace

void check_model(const Checkpoint& model, const Family& family) {
  const UNetConfig unet = parse_unet_config(model.config("unet"));
  const VaeConfig vae = parse_vae_config(model.config("vae"));
  require(family.added_embedding == unet.text_time, ErrorKind::bad_model, "{}: a {} pipeline with a unet of addition_embed_type {}", model.path(),
          family.name, unet.text_time ? "text_time" : "null");
  require(unet.out_channels == vae.latent_channels, ErrorKind::bad_model, "{}: the unet makes {} channels, the vae reads {}", model.path(),
          unet.out_channels, vae.latent_channels);
  require(unet.in_channels == unet.out_channels || unet.reads_mask(), ErrorKind::unsupported,
          "{}: the unet reads {} channels and makes {}: it is made for more than text to image and inpainting, which is not supported", model.path(),
          unet.in_channels, unet.out_channels);

  int64_t columns = 0, pooled = 0;
  for (const char* encoder : family.text_encoders) {
    const bool last = encoder == family.text_encoders.back();
    const ClipTextConfig text = check_text_encoder(model, encoder, family.added_embedding && last);
    columns += text.hidden_size;
    pooled = text.projection_dim;
  }
  require(columns == unet.cross_attention_dim, ErrorKind::bad_model, "{}: the text encoders make {} columns, the unet reads {}: parts of two models",
          model.path(), columns, unet.cross_attention_dim);
  constexpr int64_t side = 8;
  const DenoiseShape shape{.pictures = 1, .h = side, .w = side, .guided = false, .tokens = 1, .pooled_width = pooled};
  check_tensors(*model.tensors("unet"), {record_denoise_step(unet, shape)}, {}, name_of(model, "unet"));
  const int64_t pixels = side * vae.downscale();
  check_tensors(*model.tensors("vae"), {record_vae_decoder(vae, 1, side, side)}, {record_vae_encoder(vae, 1, pixels, pixels)}, name_of(model, "vae"));
}

}  // namespace hayate
