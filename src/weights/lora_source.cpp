// Pieces are merged while they are in the cache.
#include "weights/lora_source.h"

#include <algorithm>
#include <cstring>

#include "core/convert.h"
#include "core/parallel.h"

namespace hayate {

void LoraSource::read(const std::string& name, Dtype as, std::span<std::byte> out, int64_t first) const {
  auto found = deltas_.find(name);
  if (found == deltas_.end()) return base_->read(name, as, out, first);
  constexpr int64_t piece = int64_t{1} << 16;
  const int64_t width = size_of(as);
  parallel_for(int64_t(out.size()) / width, piece, [&](int64_t begin, int64_t end) {
    std::vector<float> merged(size_t(std::min(piece, end - begin)));
    for (int64_t from = begin; from < end; from += piece) {
      const std::span<float> some = std::span(merged).first(size_t(std::min(piece, end - from)));
      base_->read(name, Dtype::f32, std::as_writable_bytes(some), first + from);
      for (const LoraDelta& delta : found->second) delta.add_to(some, first + from);
      const std::span<std::byte> target = out.subspan(size_t(from * width), some.size() * size_t(width));
      if (as == Dtype::f32)
        std::memcpy(target.data(), some.data(), target.size());
      else
        convert(Dtype::f32, std::as_bytes(some), as, target);
    }
  });
}

}  // namespace hayate
