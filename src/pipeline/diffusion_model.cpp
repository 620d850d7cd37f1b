// A change of LoRAs is seen by all components or by none.
#include "pipeline/diffusion_model.h"

#include "core/error.h"
#include "pipeline/check_model.h"
#include "pipeline/open_model.h"
#include "pipeline/stopwatch.h"

namespace hayate {

namespace {
const Family& checked_family(const Checkpoint& model) {
  const JsonObject index = model.index();
  const Family& family = find_family(index.string("_class_name"), index.what());
  check_model(model, family);
  return family;
}
}  // namespace

DiffusionModel::DiffusionModel(std::shared_ptr<const Checkpoint> base, const std::vector<Lora>& loras, const Compiler& compiler, Warn warn,
                               const std::string& prefix)
    : base_(std::move(base)),
      warn_(std::move(warn)),
      checkpoint_(std::make_unique<LoraCheckpoint>(base_, weighted(loras), warn_)),
      family_(checked_family(*checkpoint_)),
      scheduler_(parse_scheduler_config(checkpoint_->config("scheduler"))),
      unet_(parse_unet_config(checkpoint_->config("unet"))),
      conditioner_(*checkpoint_, family_, compiler, prefix),
      denoiser_(prefix + "unet", unet_, checkpoint_->tensors("unet"), compiler) {}

LoraChange DiffusionModel::change_loras(const std::vector<Lora>& loras) {
  Stopwatch watch;
  LoraChange change;
  std::vector<WeightedLora> wanted = weighted(loras);
  if (wanted == checkpoint_->loras()) return change;
  auto next = std::make_unique<const LoraCheckpoint>(base_, std::move(wanted), warn_);
  std::vector<Component*> components = {&denoiser_.component()};
  for (const auto& encoder : conditioner_.encoders()) components.push_back(&encoder->component());
  auto read_from = [&](const LoraCheckpoint& checkpoint, bool again) {
    for (Component* c : components) {
      const std::set<std::string> changed = next->changed(*checkpoint_, c->name());
      if (changed.empty()) continue;
      change.tensors += int(changed.size());
      try {
        change.prepared += c->change(checkpoint.tensors(c->name()), changed);
      } catch (const Error& e) {  // what it has forgotten is loaded when it is needed
        if (!again && e.kind() != ErrorKind::out_of_memory) throw;
      }
    }
  };
  try {
    read_from(*next, false);
  } catch (...) {
    read_from(*checkpoint_, true);
    throw;
  }
  checkpoint_ = std::move(next);
  change.seconds = watch.lap();
  return change;
}

}  // namespace hayate
