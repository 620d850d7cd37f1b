// As AutoencoderKL of diffusers: pixels in -1..1, a mean and the logarithm of a variance for each number of a latent.
#include "pipeline/picture_encoder.h"

#include <algorithm>
#include <cmath>

#include "models/vae.h"
#include "pipeline/not_finite.h"
#include "pipeline/read_floats.h"
#include "weights/check_tensors.h"

namespace hayate {

std::vector<float> pixels_of(const Image& image) {
  std::vector<float> pixels(image.rgb.size());
  std::ranges::transform(image.rgb, pixels.begin(), [](uint8_t v) { return float(v) / 255 * 2 - 1; });
  return pixels;
}

PictureEncoder::PictureEncoder(std::shared_ptr<const TensorSource> tensors, const VaeConfig& config, const Compiler& compiler)
    : tensors_(std::move(tensors)), config_(config), vae_("vae encoder", tensors_, compiler) {}

Component::Need PictureEncoder::need(int width, int height, Wrap wrap, const Rung& rung) {
  const Recording program = recording(width, height, wrap);
  if (!checked_) check_tensors(*tensors_, {program.record[0]()}, {record_vae_decoder(config_, 1, 8, 8)}, "the VAE's encoder, for a picture to start from");
  checked_ = true;
  return vae_.need(program, rung, false);
}

Recording PictureEncoder::recording(int width, int height, Wrap wrap) const {
  return {fmt::format("encode {}x{}, wrap {} {}", width, height, wrap.x, wrap.y), [&config = config_, width, height, wrap] { return record_vae_encoder(config, 1, height, width, wrap); }};
}

std::vector<float> PictureEncoder::encode(std::span<const float> pixels, int width, int height, Wrap wrap, std::span<const float> noise, CompileSeconds& seconds) {
  auto exec = vae_.executable(recording(width, height, wrap), false, seconds);
  exec->write("pixels", std::as_bytes(pixels));
  exec->run(Rate::prompt);
  const std::vector<float> moments = read_floats(*exec, exec->program().outputs[0]);
  require_finite(moments, "what the VAE makes of the picture", {});
  const size_t channels = size_t(config_.latent_channels);
  std::vector<float> latent(noise.size());
  for (size_t i = 0; i < latent.size(); ++i) {
    const size_t at = i / channels * 2 * channels % moments.size() + i % channels;
    const float deviation = std::exp(0.5f * std::clamp(moments[at + channels], -30.f, 20.f));
    latent[i] = (moments[at] + deviation * noise[i] - config_.shift_factor) * config_.scaling_factor;
  }
  return latent;
}

}  // namespace hayate
