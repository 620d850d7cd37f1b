// Small pictures of latents while they are denoised, by a linear map from latent to RGB that is learnt from finished pictures: no constants of any
// model are needed.
#pragma once
#include <array>
#include <span>
#include <vector>

#include "hayate/hayate.h"

namespace hayate::server {

class LatentPreview {
 public:
  // Another finished picture: its latent (h, w, channels), and the picture, some whole number of times larger.
  void learn(std::span<const float> latent, const Image&);
  bool ready() const { return weight_ > 0; }
  // A pixel per latent pixel. A latent with more noise than finished ones is scaled down to their deviation, and one with less up to it at the
  // beginning of `progress`, 0 to 1.
  Image render(std::span<const float> latent, int width, int height, double progress = 1) const;

  // The latent `now` (h, w, channels) with little of its noise, by where the step from the latent `before` went.
  static std::vector<float> foreseen(std::span<const float> before, std::span<const float> now, int width, int height);

  // Pixels of a picture along each side of one of the latent's, of which there are so many; 0 where that is no whole number.
  static int side_of_pixel(int width, int height, size_t latent_pixels);

  static constexpr size_t channels = 4;

 private:
  void solve();

  static constexpr size_t terms = channels + 1;                 // and a constant
  std::array<std::array<double, terms>, terms> products_{};     // sums of x x^T
  std::array<std::array<double, 3>, terms> targets_{}, map_{};  // sums of x rgb^T; rgb = x map
  double weight_ = 0, deviation_ = 0;
};

}  // namespace hayate::server
