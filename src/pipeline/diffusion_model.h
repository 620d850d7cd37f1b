// The text encoders, UNet and scheduler of one checkpoint, with the LoRAs that are in them.
#pragma once
#include <memory>
#include <vector>

#include "core/log.h"
#include "hayate/hayate.h"
#include "models/config.h"
#include "models/families.h"
#include "pipeline/conditioning.h"
#include "pipeline/denoiser.h"
#include "schedule/scheduler_config.h"
#include "weights/lora_checkpoint.h"

namespace hayate {

class DiffusionModel {
 public:
  // Throws what check_model() has against it. `prefix` of the names of its components, in dumps and messages.
  DiffusionModel(std::shared_ptr<const Checkpoint> base, const std::vector<Lora>&, const Compiler&, Warn, const std::string& prefix = "");
  DiffusionModel(const DiffusionModel&) = delete;

  // Every component reads the tensors of the model with these LoRAs. Where weights cannot be prepared all is as it was, but that some must be loaded
  // again. `room`, which is only asked when something changes: what originals may take in all.
  LoraChange change_loras(const std::vector<Lora>&, const std::function<Originals::Room()>& room);
  int64_t originals_bytes() const { return originals_bytes_; }  // of tensors that LoRAs are added to, as they are stored, kept or not
  Originals::Bytes kept_originals();
  void forget_originals();

  const Checkpoint& checkpoint() const { return *checkpoint_; }
  const SchedulerConfig& scheduler() const { return scheduler_; }
  const UNetConfig& unet() const { return unet_; }
  const Conditioner& conditioner() const { return conditioner_; }
  Conditioner& conditioner() { return conditioner_; }
  const Denoiser& denoiser() const { return denoiser_; }
  Denoiser& denoiser() { return denoiser_; }

 private:
  std::vector<Component*> components();

  std::shared_ptr<const Checkpoint> base_;
  Warn warn_;
  std::unique_ptr<const LoraCheckpoint> checkpoint_;  // base_ with LoRAs
  int64_t originals_bytes_;
  const Family& family_;
  SchedulerConfig scheduler_;
  UNetConfig unet_;
  Conditioner conditioner_;
  Denoiser denoiser_;
};

}  // namespace hayate
