// The weight scales what is added, or with DoRA the whole change.
#include "weights/lora_source.h"

#include "weights/read_altered.h"

namespace hayate {

LoraMerge::LoraMerge(const std::shared_ptr<const SafetensorsFile>& file, const LoraModule& module, const LoraTarget& target, float weight)
    : delta(file, module, target, module.magnitude.empty() ? weight : 1) {
  if (!module.magnitude.empty()) magnitude.emplace(file, module, target, weight);
}

void LoraSource::read(const std::string& name, Dtype as, std::span<std::byte> out, int64_t first) const {
  auto found = merges_->find(name);
  if (found == merges_->end()) return base_->read(name, as, out, first);
  const LoraDelta& delta = found->second.delta;
  const std::optional<LoraMagnitude>& magnitude = found->second.magnitude;
  if (magnitude)
    magnitude->measure([&](std::span<float> merged, int64_t at) {
      base_->read(name, Dtype::f32, std::as_writable_bytes(merged), at);
      delta.add_to(merged, at);
    });
  read_altered(*base_, name, as, out, first, [&](std::span<float> some, int64_t at) {
    const std::vector<float> plain(some.begin(), magnitude ? some.end() : some.begin());
    delta.add_to(some, at);
    if (magnitude) magnitude->apply(plain, some, at);
  });
}

}  // namespace hayate
