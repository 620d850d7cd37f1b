// A path that exists wins over a name of the hub.
#include "pipeline/open_model.h"

#include <cmath>
#include <map>

#include "core/error.h"
#include "pipeline/installed_files.h"
#include "pipeline/random_model.h"
#include "weights/embedding_checkpoint.h"
#include "weights/folder_listing.h"
#include "weights/hub_cache.h"
#include "weights/overridden_checkpoint.h"

namespace hayate {
namespace {

std::string find_model(const std::string& name, const Options& options) {
  if (present(name) || !is_hub_name(name)) return name;
  return find_in_hub_cache(options.hub_cache, name);
}

std::unique_ptr<Checkpoint> with_embeddings(std::unique_ptr<Checkpoint> model, const Options& options) {
  if (options.embeddings.empty()) return model;
  return std::make_unique<EmbeddingCheckpoint>(std::move(model), options.embeddings, options.warn);
}

}  // namespace

std::unique_ptr<Checkpoint> open_base(const Options& options) {
  require(options.random.empty() || options.model.empty(), ErrorKind::usage, "a random model and the model {} cannot both be used", options.model);
  std::unique_ptr<Checkpoint> model = open_checkpoint(options.model.empty() ? builtin_model_folder() : find_model(options.model, options), clip_tokenizers_folder());
  if (!options.random.empty()) model = random_model(options.random, std::move(model));  // whose words the built-in model's tokenizers number
  const std::map<std::string, std::string> all = {
      {"unet", options.unet}, {"vae", options.vae}, {"text_encoder", options.text_encoder}, {"text_encoder_2", options.text_encoder_2}};
  std::map<std::string, std::string> overrides;
  for (const auto& [component, path] : all)
    if (!path.empty()) overrides.emplace(component, path);
  if (!overrides.empty()) model = std::make_unique<OverriddenCheckpoint>(std::move(model), overrides);
  return with_embeddings(std::move(model), options);
}

std::unique_ptr<Checkpoint> open_refiner(const Options& options) {
  return with_embeddings(open_checkpoint(find_model(options.refiner, options), clip_tokenizers_folder()), options);
}

std::vector<WeightedLora> weighted(const std::vector<Lora>& loras) {
  std::vector<WeightedLora> all;
  for (const Lora& lora : loras) {
    const WeightedLora& added = all.emplace_back(WeightedLora{lora.path, lora.weight, lora.text_weight.value_or(lora.weight)});
    for (float weight : {added.weight, added.text_weight})
      require(std::isfinite(weight), ErrorKind::usage, "the weight of the LoRA {} is {}; expected a finite number", lora.path, weight);
  }
  return all;
}

std::unique_ptr<Checkpoint> open_model(const Options& options) {
  return std::make_unique<LoraCheckpoint>(open_base(options), weighted(options.loras), options.warn);
}

}  // namespace hayate
