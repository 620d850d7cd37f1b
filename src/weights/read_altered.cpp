// Pieces are changed while they are in the cache.
#include "weights/read_altered.h"

#include <algorithm>
#include <cstring>

#include "core/convert.h"
#include "core/parallel.h"

namespace hayate {

void read_altered(const TensorSource& source, const std::string& name, Dtype as, std::span<std::byte> out, int64_t first, const Alter& alter) {
  constexpr int64_t piece = int64_t{1} << 16;
  const int64_t width = size_of(as);
  parallel_for(int64_t(out.size()) / width, piece, [&](int64_t begin, int64_t end) {
    std::vector<float> values(size_t(std::min(piece, end - begin)));
    for (int64_t from = begin; from < end; from += piece) {
      const std::span<float> some = std::span(values).first(size_t(std::min(piece, end - from)));
      source.read(name, Dtype::f32, std::as_writable_bytes(some), first + from);
      alter(some, first + from);
      const std::span<std::byte> target = out.subspan(size_t(from * width), some.size() * size_t(width));
      if (as == Dtype::f32)
        std::memcpy(target.data(), some.data(), target.size());
      else
        convert(Dtype::f32, std::as_bytes(some), as, target);
    }
  });
}

}  // namespace hayate
