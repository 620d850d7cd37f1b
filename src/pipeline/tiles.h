// A picture cut into tiles, each with a window around it.
#pragma once
#include <vector>

#include "program/region.h"

namespace hayate {

struct Tile {
  Region core;    // the tile: these cover the picture, none twice
  Region window;  // the core and at least `halo` pixels around it, where the picture has them
};

// Tiles of about equal size, no more than `most` pixels a side. All windows have one size, so that one program computes them: at the
// border of the picture they are moved inwards, because what a program pads there with zeros must be the true border.
std::vector<Tile> cut_into_tiles(const Shape& picture, int64_t most, int64_t halo);

}  // namespace hayate
