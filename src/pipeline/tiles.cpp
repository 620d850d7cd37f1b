// Both axes are cut alike.
#include "pipeline/tiles.h"

#include <algorithm>

namespace hayate {

namespace {
struct Span {
  int64_t begin, end, window;  // of the core; where the window begins
};
struct Spans {
  std::vector<Span> all{};
  int64_t window = 0;  // size
};

Spans cut(int64_t size, int64_t most, int64_t halo) {
  const int64_t count = (size + most - 1) / most, step = (size + count - 1) / count;
  Spans spans{.window = std::min(size, step + 2 * halo)};
  for (int64_t begin = 0; begin < size; begin += step)
    spans.all.push_back({begin, std::min(size, begin + step), std::clamp<int64_t>(begin - halo, 0, size - spans.window)});
  return spans;
}
}  // namespace

std::vector<Tile> cut_into_tiles(const Shape& picture, int64_t most, int64_t halo) {
  const Spans lines = cut(picture.h, most, halo), columns = cut(picture.w, most, halo);
  std::vector<Tile> tiles;
  for (const Span& y : lines.all)
    for (const Span& x : columns.all)
      tiles.push_back({.core = {int32_t(y.begin), int32_t(x.begin), int32_t(y.end - y.begin), int32_t(x.end - x.begin)},
                       .window = {int32_t(y.window), int32_t(x.window), int32_t(lines.window), int32_t(columns.window)}});
  return tiles;
}

}  // namespace hayate
