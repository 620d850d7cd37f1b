// A network that turns latents into pixels, as a chain of parts each of which reads what the one before it makes.
#pragma once
#include <functional>
#include <span>

#include "program/builder.h"

namespace hayate {

struct LatentDecoder {
  int parts = 1;  // only the first may look further than a few pixels
  int64_t latent_channels = 0;
  int64_t downscale = 0;  // pixels of the picture for one of the latent, along each axis
  int groups = 0;         // of group norms that read what another part made; 0: there are none
  // Parts [begin, end) alone. Input "latents", or for begin > 0 "x", of the shape that is given. The last part makes (n, h * downscale, w *
  // downscale, 3), about -1..1.
  std::function<Program(int begin, int end, const Shape& input, Wrap)> record{};
  std::function<void(std::span<float>)> prepare{};  // what latents go through before they are written; may be empty

  Program whole(int64_t n, int64_t h, int64_t w, Wrap wrap = {}) const { return record(0, parts, {n, h, w, latent_channels}, wrap); }
};

// LatentDecoder::record of a network that has decode(value, begin, end), made from a Builder and its config.
template <class Network, class Config>
auto recorder_of(const Config& config) {
  return [config](int begin, int end, const Shape& input, Wrap wrap) {
    Program p;
    Builder b(p);
    b.wrap(wrap);
    p.outputs = {Network(b, config).decode(b.input(begin == 0 ? "latents" : "x", input, Rate::prompt), begin, end)};
    return p;
  };
}

}  // namespace hayate
