// The VAE's decoder tile by tile: its memory does not grow with the picture, but for the maps between its parts, which lie on the host.
#pragma once
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "models/latent_decoder.h"
#include "pipeline/component.h"
#include "pipeline/parked_map.h"
#include "pipeline/tiles.h"
#include "program/window_passes.h"

namespace hayate {

class TiledDecoder {
 public:
  // Pixels a side of the largest tile, in the map that a part makes. SDXL's widest parts then fill a GPU and take 35 MB a map in 16 bits;
  // a halo of two pixels adds 3% to their work.
  static constexpr int64_t kTile = 256;

  // For latents of h x w. Maps are parked as `stored`, in which the programs compute.
  TiledDecoder(const LatentDecoder&, int64_t h, int64_t w, Dtype stored, int64_t tile = kTile);

  // Of decode(), with the maps that are held beside. On a device of its own without them. They refer to this object.
  std::vector<Component::Held> programs(bool on_host) const;
  Component::Need need(Component&, const Rung&, bool on_host) const;  // of these

  int runs() const;  // that decode() makes

  // Pixels of one latent as the decoder makes them in one piece, but for rounding. `after_run` may throw.
  std::vector<float> decode(Component&, Backend&, std::span<const float> latent, const std::function<void()>& after_run, CompileSeconds&) const;

 private:
  // As many parts of the decoder as are computed together: one by one, but for those at the start that are no larger than a tile.
  struct Stage {
    std::string key{};
    Shape input{}, result{};    // whole maps
    Dtype stored = Dtype::f32;  // of the result
    std::string known{};        // the norm that reads the input, whose statistics were measured with that
    std::vector<WindowPass> passes{};
    std::vector<Tile> tiles{};  // of the input
  };
  static Recording recording(const Stage&, const WindowPass&);
  using Statistics = std::map<std::string, std::vector<float>>;  // by norm
  static std::vector<float> run(Executable&, const Stage&, const WindowPass&, const Statistics&, const Map& input, const Map& result,
                                const std::function<void()>& after_run);

  std::vector<Stage> stages_{};
};

}  // namespace hayate
