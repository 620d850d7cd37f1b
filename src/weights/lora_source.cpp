// Low-rank products on top of what is stored.
#include "weights/lora_source.h"

#include "weights/read_altered.h"

namespace hayate {

void LoraSource::read(const std::string& name, Dtype as, std::span<std::byte> out, int64_t first) const {
  auto found = deltas_.find(name);
  if (found == deltas_.end()) return base_->read(name, as, out, first);
  read_altered(*base_, name, as, out, first, [&](std::span<float> some, int64_t at) {
    for (const LoraDelta& delta : found->second) delta.add_to(some, at);
  });
}

}  // namespace hayate
