// Whole activation maps on the host, from which windows are taken and into which tiles are put.
#pragma once
#include <cstddef>
#include <memory>
#include <span>

#include "backend/backend.h"
#include "core/page_range.h"
#include "program/region.h"

namespace hayate {

// One image, (1, h, w, c), packed; the memory is someone else's.
struct Map {
  Shape shape{};
  Dtype dtype = Dtype::f32;
  std::byte* data = nullptr;

  int64_t bytes() const { return shape.count() * size_of(dtype); }
};

void take(const Map& from, const Region&, std::span<std::byte> window);
// `core` of a window, which is `window_width` pixels wide, to `to`.
void put(const Map& to, const Region& at, std::span<const std::byte> window, int64_t window_width, const Region& core);

// Memory for a map, counted in the budget of a device that computes in the host's memory.
class ParkedMap {
 public:
  ParkedMap(const Shape&, Dtype, Backend&);  // throws Error(out_of_memory)

  const Map& map() const { return map_; }

 private:
  std::shared_ptr<void> counted_{};
  std::unique_ptr<PageRange> pages_{};
  Map map_{};
};

}  // namespace hayate
