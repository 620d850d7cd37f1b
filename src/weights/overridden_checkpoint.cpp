// A file states no config: shapes decide what they can, the model that it joins states the rest.
#include "weights/overridden_checkpoint.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "core/error.h"
#include "weights/derived_config.h"
#include "weights/describe_tensors.h"
#include "weights/folder_listing.h"
#include "weights/name_tree.h"
#include "weights/names.h"
#include "weights/original_families.h"
#include "weights/safetensors.h"
#include "weights/scaled_source.h"
#include "weights/weight_files.h"

namespace hayate {
namespace {

// What a component's tensors cannot be without, under diffusers' names.
const char* telling_module(OriginalPart part) {
  switch (part) {
    case OriginalPart::unet: return "down_blocks.0.";
    case OriginalPart::vae: return "decoder.up_blocks.0.";
    default: return "text_model.encoder.layers.0.";
  }
}

const OriginalComponent& find_row(const OriginalFamily& family, const std::string& component) {
  auto row = std::ranges::find(family.components, component, &OriginalComponent::name);
  require(row != family.components.end(), ErrorKind::usage, "a {} model has no {} to be replaced", family.name, component);
  return *row;
}

// The component out of a whole model's file, or of a file that holds nothing else.
std::shared_ptr<const TensorSource> find_component(std::shared_ptr<const TensorSource> file, const OriginalComponent& row) {
  std::shared_ptr<const TensorSource> inside = under_prefix(file, row.prefix);
  if (inside->names().empty()) inside = file;
  const std::optional<OriginalPart> original = recognise_original(*inside);
  return with_current_names(original ? std::shared_ptr<const TensorSource>(from_original(*original, inside)) : inside);
}

}  // namespace

OverriddenCheckpoint::OverriddenCheckpoint(std::unique_ptr<Checkpoint> base, const std::map<std::string, std::string>& overrides)
    : base_(std::move(base)) {
  for (const auto& [component, path] : overrides) replaced_.emplace(component, open(component, path));
}

OverriddenCheckpoint::Component OverriddenCheckpoint::open(const std::string& component, const std::string& path) const {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) return open_file(component, path);
  if (present(path + "/model_index.json")) {
    const std::unique_ptr<Checkpoint> other = open_checkpoint(path, "");
    return {other->config(component), other->tensors(component)};
  }
  require(present(path + "/config.json"), ErrorKind::not_found, "{}: has neither model_index.json nor config.json. Found: {}", path,
          list_entries(path));
  return {{read_json_file(path + "/config.json"), path + "/config.json"}, with_current_names(open_weights(path))};
}

OverriddenCheckpoint::Component OverriddenCheckpoint::open_file(const std::string& component, const std::string& path) const {
  auto file = std::make_shared<SafetensorsFile>(path);
  const OriginalComponent& row = find_row(original_family_of(*base_), component);
  std::shared_ptr<const TensorSource> tensors = find_component(with_scales(file, path), row);
  require(NameTree(*tensors).has_under(telling_module(row.part)), ErrorKind::bad_model, "{}: has no {}: it looks like {}", path, component,
          describe_tensors(*file));
  Json config = published_config(row, *tensors);
  if (base_->has(component)) {
    const Json base = base_->config(component).all();
    const char* width = row.part == OriginalPart::unet || row.part == OriginalPart::vae ? "block_out_channels" : "hidden_size";
    if (base.contains(width) && base.at(width) == config.at(width)) {
      config.update(base);
      config.update(derive_config(row.part, *tensors));
    }
  }
  return {{std::move(config), path}, tensors};
}

JsonObject OverriddenCheckpoint::config(const std::string& component) const {
  auto found = replaced_.find(component);
  return found == replaced_.end() ? base_->config(component) : found->second.config;
}

std::shared_ptr<const TensorSource> OverriddenCheckpoint::tensors(const std::string& component) const {
  auto found = replaced_.find(component);
  return found == replaced_.end() ? base_->tensors(component) : found->second.tensors;
}

}  // namespace hayate
