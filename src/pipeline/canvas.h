// The picture that a request starts from, as denoising sees it, and what becomes of what is drawn over it.
#pragma once
#include <vector>

#include "hayate/hayate.h"

namespace hayate {

// Pixels of a picture; to the right and down.
struct Area {
  int left = 0, top = 0, width = 0, height = 0;
};

class Canvas {
 public:
  // `width` x `height`: what is drawn; `downscale`: its pixels to a number of a latent. Error(usage) for a mask without white.
  Canvas(const Request&, int width, int height, int downscale);

  Image picture() const;                                       // what is drawn over, width x height
  std::vector<float> masked_pixels() const;                    // of it, -1..1, 0 where the mask is white
  const std::vector<float>& mask() const { return latent_mask_; }  // (h, w) of a latent: 1 where it is drawn anew, else 0; empty without a mask

  // With what the mask keeps, and in its place if only an area was drawn.
  Image finished(Image drawn) const;

 private:
  Image picture_, mask_;               // width x height
  bool fills_ = false;                 // what is drawn anew begins with the colours around it
  std::vector<float> latent_mask_{};
  Image kept_{}, kept_mask_{};         // whole, where only an area is drawn
  Area area_{};
};

// The part of a mask (width, height; any channel above 0 counts) to draw: what is not black, `padding` pixels more on each side, and then as much more
// as makes its sides relate as `to_width` to `to_height`, where the mask is large enough. An empty area for a black mask.
Area area_around(const Image& mask, int padding, int to_width, int to_height);

}  // namespace hayate
