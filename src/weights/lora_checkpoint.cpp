// Modules are matched with weights, and their shapes checked, before anything is read.
#include "weights/lora_checkpoint.h"

#include <algorithm>

#include "core/error.h"
#include "core/json.h"
#include "weights/lora_source.h"
#include "weights/lora_targets.h"

namespace hayate {
namespace {

std::string first_few(const std::vector<std::string>& names) {
  constexpr size_t shown = 3;
  std::string text;
  for (size_t i = 0; i < std::min(shown, names.size()); ++i) text += (i ? ", " : "") + excerpt(names[i]);
  return text + (names.size() > shown ? fmt::format(" and {} more", names.size() - shown) : "");
}

}  // namespace

LoraCheckpoint::LoraCheckpoint(std::unique_ptr<Checkpoint> base, const std::vector<WeightedLora>& loras,
                               const std::function<void(const std::string&)>& warn)
    : base_(std::move(base)) {
  const LoraTargets targets(*base_);
  for (const auto& [path, weight] : loras) {
    const LoraFile lora = read_lora(path);
    std::vector<std::string> left_over = lora.unknown;
    std::map<std::string, std::string> fitted;  // modules of the file by target
    for (const LoraModule& module : lora.modules) {
      const LoraTargets::Target* target = targets.find(module.name);
      if (!target) {
        left_over.push_back(module.name);
        continue;
      }
      const std::string what = target->component + "." + target->weight;
      const auto [other, first] = fitted.emplace(what, module.name);
      require(first, ErrorKind::bad_file, "{}: modules {} and {} are both for {}", path, excerpt(other->second), excerpt(module.name), what);
      LoraDelta delta(lora.tensors, module, what, base_->tensors(target->component)->dims(target->weight), weight);
      if (weight != 0) deltas_[target->component][target->weight].push_back(std::move(delta));
    }
    require(!fitted.empty(), ErrorKind::bad_model, "{}: fits nothing in the model {}: the LoRA is for another kind of model. It has {}", path,
            base_->path(), first_few(left_over));
    if (!left_over.empty() && warn)
      warn(fmt::format("{}: fits nothing in the model and is left out: {}", path, first_few(left_over)));
  }
}

std::shared_ptr<const TensorSource> LoraCheckpoint::tensors(const std::string& component) const {
  std::shared_ptr<const TensorSource> base = base_->tensors(component);
  auto found = deltas_.find(component);
  return found == deltas_.end() ? base : std::make_shared<LoraSource>(std::move(base), found->second);
}

}  // namespace hayate
