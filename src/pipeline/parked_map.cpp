// Copies line by line.
#include "pipeline/parked_map.h"

#include <cstring>

#include "core/parallel.h"

namespace hayate {

namespace {
void copy_lines(std::byte* to, int64_t to_line, const std::byte* from, int64_t from_line, int64_t lines, int64_t bytes) {
  constexpr int64_t kEach = int64_t{4} << 20;  // of a thread: a few of them use all that the memory gives
  parallel_for(lines, 1 + kEach / bytes, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) std::memcpy(to + i * to_line, from + i * from_line, size_t(bytes));
  });
}
}  // namespace

void take(const Map& from, const Region& r, std::span<std::byte> window) {
  const int64_t pixel = from.shape.c * size_of(from.dtype), line = from.shape.w * pixel;
  copy_lines(window.data(), r.width * pixel, from.data + r.top * line + r.left * pixel, line, r.height, r.width * pixel);
}

void put(const Map& to, const Region& at, std::span<const std::byte> window, int64_t window_width, const Region& core) {
  const int64_t pixel = to.shape.c * size_of(to.dtype), line = to.shape.w * pixel, from_line = window_width * pixel;
  copy_lines(to.data + at.top * line + at.left * pixel, line, window.data() + core.top * from_line + core.left * pixel, from_line, at.height,
             at.width * pixel);
}

ParkedMap::ParkedMap(const Shape& shape, Dtype dtype, Backend& backend) : map_{.shape = shape, .dtype = dtype} {
  if (backend.is_host()) {
    backend.memory().take(map_.bytes());
    counted_ = {nullptr, [&budget = backend.memory(), bytes = map_.bytes()](void*) { budget.give_back(bytes); }};
  }
  pages_ = std::make_unique<PageRange>(map_.bytes());
  pages_->commit();
  map_.data = pages_->data();
}

}  // namespace hayate
