// A change of LoRAs is seen by all components or by none.
#include "pipeline/diffusion_model.h"

#include "core/error.h"
#include "core/stopwatch.h"
#include "pipeline/check_model.h"
#include "pipeline/open_model.h"
#include "weights/mapped_source.h"

namespace hayate {

namespace {
const Family& checked_family(const Checkpoint& model) {
  const JsonObject index = model.index();
  const Family& family = find_family(index.string("_class_name"), index.what());
  check_model(model, family);
  return family;
}

int64_t sum_originals(const LoraCheckpoint& model) {
  int64_t bytes = 0;
  for (const char* name : {"unet", "text_encoder", "text_encoder_2"}) {
    if (model.loras().empty() || !model.has(name)) continue;
    const std::shared_ptr<const TensorSource> source = model.tensors(name);
    for (const std::string& tensor : source->names())
      if (source->added_rank(tensor).value_or(0) > 0) bytes += element_count(source->dims(tensor)) * size_of(source->dtype(tensor));
  }
  return bytes;
}
}  // namespace

DiffusionModel::DiffusionModel(std::shared_ptr<const Checkpoint> base, const std::vector<Lora>& loras, const Compiler& compiler, Warn warn,
                               const std::string& prefix)
    : base_(std::move(base)),
      warn_(std::move(warn)),
      checkpoint_(std::make_unique<LoraCheckpoint>(base_, weighted(loras), warn_)),
      originals_bytes_(sum_originals(*checkpoint_)),
      family_(checked_family(*checkpoint_)),
      scheduler_(parse_scheduler_config(checkpoint_->config("scheduler"))),
      unet_(parse_unet_config(checkpoint_->config("unet"))),
      conditioner_(*checkpoint_, family_, compiler, prefix),
      denoiser_(prefix + "unet", unet_, checkpoint_->tensors("unet"), compiler) {}

std::vector<Component*> DiffusionModel::components() {
  std::vector<Component*> all = {&denoiser_.component()};
  if (Component* second = denoiser_.second()) all.push_back(second);
  for (const auto& encoder : conditioner_.encoders()) all.push_back(&encoder->component());
  return all;
}

Originals::Bytes DiffusionModel::kept_originals() {
  Originals::Bytes kept;
  for (Component* c : components()) {
    const Originals::Bytes own = c->originals().bytes();
    kept.device += own.device, kept.host += own.host;
  }
  return kept;
}

void DiffusionModel::forget_originals() {
  for (Component* c : components()) c->originals().clear();
}

LoraChange DiffusionModel::change_loras(const std::vector<Lora>& loras, const std::function<Originals::Room()>& room) {
  Stopwatch watch;
  LoraChange change;
  std::vector<WeightedLora> wanted = weighted(loras);
  if (wanted == checkpoint_->loras()) return change;
  auto next = std::make_unique<const LoraCheckpoint>(base_, std::move(wanted), warn_);
  const Originals::Room all = room();
  change.opening = watch.lap();
  auto read_from = [&](const LoraCheckpoint& checkpoint, bool again) {
    for (Component* c : components()) {
      const std::set<std::string> changed = next->changed(*checkpoint_, c->name());
      if (changed.empty()) continue;
      change.tensors += int(changed.size());
      try {
        const Originals::Bytes kept = kept_originals();
        const PreparedWeights::Changed made = c->change(checkpoint.tensors(c->name()), changed, {.device = all.device - kept.device, .host = all.host - kept.host});
        change.prepared += made.bytes, change.read += made.read;
        change.reading += made.reading, change.computing += made.computing, change.waiting += made.waiting;
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
  originals_bytes_ = sum_originals(*checkpoint_);
  const Originals::Bytes kept = kept_originals();
  change.kept_on_device = kept.device, change.kept_on_host = kept.host;
  change.seconds = change.opening + watch.lap();
  return change;
}

}  // namespace hayate
