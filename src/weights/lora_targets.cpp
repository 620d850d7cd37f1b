// No name is taken apart: the names of the model's own modules are written in every way, and looked up. So kohya's, in which dots have become
// underscores, need no guessing.
#include "weights/lora_targets.h"

#include <algorithm>
#include <map>

#include "weights/original_names.h"

namespace hayate {
namespace {

struct Component {
  const char* name;
  std::vector<const char*> kohya;  // prefixes
};

std::string underscored(std::string name) {
  std::ranges::replace(name, '.', '_');
  return name;
}

}  // namespace

LoraTargets::LoraTargets(const Checkpoint& model) {
  const Component components[] = {{"unet", {"lora_unet_"}}, {"text_encoder", {"lora_te_", "lora_te1_"}}, {"text_encoder_2", {"lora_te2_"}}};
  constexpr std::string_view weight = ".weight", text_model = "text_model.", peft = "base_model.model.";
  for (const auto& [component, kohya] : components) {
    if (!model.has(component)) continue;
    const std::shared_ptr<const TensorSource> tensors = model.tensors(component);
    std::map<std::string, std::string> original;
    if (component == std::string("unet")) original = original_unet_names(*tensors);
    for (const std::string& name : tensors->names()) {
      const size_t rank = tensors->dims(name).size();
      if (!name.ends_with(weight) || (rank != 2 && rank != 4)) continue;
      std::vector<std::string> spellings = {name.substr(0, name.size() - weight.size())};
      if (name.starts_with(text_model)) spellings.push_back(spellings[0].substr(text_model.size()));
      for (const std::string& module : spellings)
        for (const std::string_view middle : {std::string_view(), peft}) {
          targets_.emplace(std::string(component) + "." + std::string(middle) + module, Target{component, name});
          targets_.emplace(std::string(middle) + module, Target{component, name});  // a file for one network alone: the first that has it
        }
      if (auto found = original.find(name); found != original.end()) spellings.push_back(found->second.substr(0, found->second.size() - weight.size()));
      for (const std::string& module : spellings)
        for (const char* prefix : kohya) targets_.emplace(prefix + underscored(module), Target{component, name});
    }
  }
}

const LoraTargets::Target* LoraTargets::find(const std::string& module) const {
  auto found = targets_.find(module);
  return found == targets_.end() ? nullptr : &found->second;
}

}  // namespace hayate
