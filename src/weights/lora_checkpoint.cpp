// Modules are matched with weights, and their shapes checked, before anything is read.
#include "weights/lora_checkpoint.h"

#include <algorithm>

#include "core/error.h"
#include "core/json.h"

namespace hayate {
namespace {

constexpr const char* unet = "unet";

std::string listed(const std::vector<std::string>& names, size_t shown) {
  std::string text;
  for (size_t i = 0; i < std::min(shown, names.size()); ++i) text += (i ? ", " : "") + excerpt(names[i]);
  return text + (names.size() > shown ? fmt::format(" and {} more", names.size() - shown) : "");
}

}  // namespace

LoraCheckpoint::LoraCheckpoint(std::shared_ptr<const Checkpoint> base, std::vector<WeightedLora> loras,
                               const std::function<void(const std::string&)>& warn)
    : base_(std::move(base)), loras_(std::move(loras)) {
  if (loras_.empty()) return;
  const LoraTargets targets(*base_);
  for (const WeightedLora& lora : loras_) merges_.push_back(merges_of(lora, targets, warn));
}

LoraCheckpoint::Components LoraCheckpoint::merges_of(const WeightedLora& weighted, const LoraTargets& targets,
                                                    const std::function<void(const std::string&)>& warn) const {
  const std::string& path = weighted.path;
  const LoraFile lora = read_lora(path);
  std::vector<std::string> left_over = lora.unknown;
  std::map<std::string, std::string> fitted;  // modules of the file by target
  Components merges;
  for (const LoraModule& module : lora.modules) {
    const LoraTargets::Target* target = targets.find(module.name);
    if (!target) {
      left_over.push_back(module.name);
      continue;
    }
    const std::string what = target->component + "." + target->weight;
    const auto [other, first] = fitted.emplace(what, module.name);
    require(first, ErrorKind::bad_file, "{}: modules {} and {} are both for {}", path, excerpt(other->second), excerpt(module.name), what);
    const float weight = target->component == unet ? weighted.weight : weighted.text_weight;
    LoraMerge merge(lora.tensors, module, {what, base_->tensors(target->component)->dims(target->weight)}, weight);
    if (weight == 0) continue;
    std::shared_ptr<LoraMerges>& all = merges[target->component];
    if (!all) all = std::make_shared<LoraMerges>();
    all->emplace(target->weight, std::move(merge));
  }
  require(!fitted.empty(), ErrorKind::bad_model, "{}: fits nothing in the model {}: the LoRA is for another kind of model. It has {}", path,
          base_->path(), listed(left_over, 3));
  if (!left_over.empty() && warn) warn(fmt::format("{}: fits nothing in the model and is left out: {}", path, listed(left_over, 20)));
  return merges;
}

std::shared_ptr<const TensorSource> LoraCheckpoint::tensors(const std::string& component) const {
  std::shared_ptr<const TensorSource> source = base_->tensors(component);
  for (const Components& merges : merges_)
    if (auto found = merges.find(component); found != merges.end()) source = std::make_shared<LoraSource>(std::move(source), found->second);
  return source;
}

std::map<std::string, std::vector<WeightedLora>> LoraCheckpoint::merged_into(const std::string& component) const {
  std::map<std::string, std::vector<WeightedLora>> merged;
  for (size_t i = 0; i < loras_.size(); ++i) {
    auto found = merges_[i].find(component);
    if (found == merges_[i].end()) continue;
    WeightedLora lora = loras_[i];
    (component == unet ? lora.text_weight : lora.weight) = 0;  // is not in it
    for (const auto& [tensor, merge] : *found->second) merged[tensor].push_back(lora);
  }
  return merged;
}

std::set<std::string> LoraCheckpoint::changed(const LoraCheckpoint& before, const std::string& component) const {
  const auto now = merged_into(component), then = before.merged_into(component);
  std::set<std::string> tensors;
  for (const auto& [a, b] : {std::pair(&now, &then), {&then, &now}})
    for (const auto& [tensor, loras] : *a)
      if (auto found = b->find(tensor); found == b->end() || found->second != loras) tensors.insert(tensor);
  return tensors;
}

}  // namespace hayate
