// Names of models are those of their files, "built-in" without one.
#include "server/catalog.h"

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "core/json.h"
#include "server/http.h"

namespace hayate::server {

namespace fs = std::filesystem;

namespace {

std::string name_of(const std::string& model) {
  if (model.empty()) return "built-in";
  const fs::path path = fs::path(model).has_filename() ? fs::path(model) : fs::path(model).parent_path();
  return path.extension() == ".safetensors" ? path.stem().string() : path.filename().string();
}

[[noreturn]] void unknown(const char* kind, const std::string& name, const std::vector<std::string>& known) {
  throw HttpError{
      404, fmt::format("there is no {} {}; there is: {}", kind, excerpt(name), known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))),
      "not_found"};
}

}  // namespace

Catalog::Catalog(const std::vector<std::string>& models, const Options& common, std::string lora_folder) : lora_folder_(std::move(lora_folder)) {
  for (const std::string& model : models) {
    Options options = common;
    options.model = model;
    CatalogModel entry{.name = name_of(model), .options = options, .info = inspect_model(options), .check = RequestCheck(options)};
    auto same = std::ranges::find(models_, entry.name, &CatalogModel::name);
    require(same == models_.end(), ErrorKind::usage, "two models are named {}: {} and {}", entry.name, model, same->options.model);
    models_.push_back(std::move(entry));
  }
  require(!models_.empty(), ErrorKind::usage, "no model to serve");
  require(lora_folder_.empty() || fs::is_directory(lora_folder_), ErrorKind::not_found, "{}: no such folder of LoRAs", lora_folder_);
  default_model_ = models_.front().name;
}

const CatalogModel& Catalog::model(const std::string& name) const {
  const std::string wanted = name.empty() ? default_model() : name;
  auto found = std::ranges::find(models_, wanted, &CatalogModel::name);
  if (found != models_.end()) return *found;
  std::vector<std::string> known;
  for (const CatalogModel& m : models_) known.push_back(m.name);
  unknown("model", wanted, known);
}

std::string Catalog::default_model() const {
  std::lock_guard lock(mutex_);
  return default_model_;
}

void Catalog::set_default_model(const std::string& name) {
  const std::string known = model(name).name;
  std::lock_guard lock(mutex_);
  default_model_ = known;
}

std::map<std::string, std::string> Catalog::loras() const {
  std::map<std::string, std::string> found;
  if (lora_folder_.empty()) return found;
  std::error_code error;
  for (fs::directory_iterator file(lora_folder_, error), end; !error && file != end; file.increment(error))
    if (file->path().extension() == ".safetensors" && file->is_regular_file(error))
      found.emplace(file->path().stem().string(), file->path().string());
  return found;
}

std::string Catalog::lora(const std::string& name) const {
  const std::map<std::string, std::string> all = loras();
  if (auto found = all.find(name); found != all.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [known_name, path] : all) known.push_back(known_name);
  unknown("LoRA", name, known);
}

}  // namespace hayate::server
