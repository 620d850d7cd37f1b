// Pictures to latents: the VAE's encoder.
#pragma once
#include <memory>
#include <vector>

#include "hayate/hayate.h"
#include "models/config.h"
#include "pipeline/component.h"
#include "program/builder.h"

namespace hayate {

std::vector<float> pixels_of(const Image&);  // (height, width, 3), -1..1

class PictureEncoder {
 public:
  PictureEncoder(std::shared_ptr<const TensorSource>, const VaeConfig&, const Compiler&);
  PictureEncoder(const PictureEncoder&) = delete;

  // Latents of a picture of `pixels`, (n, h/8, w/8, channels), scaled as the UNet wants them: of the distribution that the encoder tells, the n samples that are
  // `noise` (of that shape, unit) deviations from its mean. Error(not_finite).
  std::vector<float> encode(std::span<const float> pixels, int width, int height, Wrap, std::span<const float> noise, CompileSeconds&);

  Component::Need need(int width, int height, Wrap, const Rung&);  // Error(bad_model) for a VAE file without an encoder
  Component& component() { return vae_; }

 private:
  Recording recording(int width, int height, Wrap) const;

  std::shared_ptr<const TensorSource> tensors_;
  VaeConfig config_;
  Component vae_;
  bool checked_ = false;  // that the encoder's tensors are there: models need not have them
};

}  // namespace hayate
