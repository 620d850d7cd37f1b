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

std::optional<int64_t> LoraSource::added_rank(const std::string& name) const {
  const std::optional<int64_t> below = base_->added_rank(name);
  auto found = merges_->find(name);
  if (found == merges_->end() || !below) return below;
  if (found->second.magnitude || !found->second.delta.is_product()) return {};
  return *below + found->second.delta.rank();
}

// Products of LoRAs over one another are one product of all their ranks.
SplitTensor LoraSource::split(const std::string& name) const {
  auto found = merges_->find(name);
  if (found == merges_->end()) return base_->split(name);
  LoraFactor::Product own = found->second.delta.product();
  const SplitTensor below = base_->split(name);
  if (below.rank == 0) return {below.stored, own.rank, std::move(own.left), std::move(own.right)};
  auto side_by_side = [&](const std::vector<float>& a, const std::vector<float>& b) {
    std::vector<float> both;
    both.reserve(a.size() + b.size());
    for (auto p = a.begin(), q = b.begin(); p < a.end(); p += below.rank, q += own.rank) {
      both.insert(both.end(), p, p + below.rank);
      both.insert(both.end(), q, q + own.rank);
    }
    return both;
  };
  return {below.stored, below.rank + own.rank, side_by_side(below.left, own.left), side_by_side(below.right, own.right)};
}

}  // namespace hayate
