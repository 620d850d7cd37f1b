// A path that exists wins over a name of the hub.
#include "pipeline/open_model.h"

#include <map>

#include "pipeline/installed_files.h"
#include "weights/folder_listing.h"
#include "weights/hub_cache.h"
#include "weights/overridden_checkpoint.h"

namespace hayate {
namespace {

std::string find_model(const Options& options) {
  if (options.model.empty()) return builtin_model_folder();
  if (present(options.model) || !is_hub_name(options.model)) return options.model;
  return find_in_hub_cache(options.hub_cache, options.model);
}

}  // namespace

std::unique_ptr<Checkpoint> open_model(const Options& options) {
  std::unique_ptr<Checkpoint> model = open_checkpoint(find_model(options), clip_tokenizers_folder());
  const std::map<std::string, std::string> all = {
      {"unet", options.unet}, {"vae", options.vae}, {"text_encoder", options.text_encoder}, {"text_encoder_2", options.text_encoder_2}};
  std::map<std::string, std::string> overrides;
  for (const auto& [component, path] : all)
    if (!path.empty()) overrides.emplace(component, path);
  return overrides.empty() ? std::move(model) : std::make_unique<OverriddenCheckpoint>(std::move(model), overrides);
}

}  // namespace hayate
