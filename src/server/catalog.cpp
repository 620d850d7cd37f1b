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

// Name to path.
std::map<std::string, std::string> tensor_files(const std::string& folder) {
  std::map<std::string, std::string> found;
  if (folder.empty()) return found;
  std::error_code error;
  for (fs::directory_iterator file(folder, error), end; !error && file != end; file.increment(error))
    if (file->path().extension() == ".safetensors" && file->is_regular_file(error)) found.emplace(file->path().stem().string(), file->path().string());
  return found;
}

void check_folder(const std::string& folder, const char* of) {
  require(folder.empty() || fs::is_directory(folder), ErrorKind::not_found, "{}: no such folder of {}", folder, of);
}

[[noreturn]] void unknown(const char* kind, const std::string& name, const std::vector<std::string>& known) {
  throw HttpError{
      404, fmt::format("there is no {} {}; there is: {}", kind, excerpt(name), known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))),
      "not_found"};
}

}  // namespace

Catalog::Catalog(const std::vector<std::string>& models, const Options& common, std::string lora_folder, const std::string& embedding_folder)
    : lora_folder_(std::move(lora_folder)) {
  check_folder(lora_folder_, "LoRAs");
  check_folder(embedding_folder, "embeddings");
  std::vector<std::string> embeddings;
  for (const auto& [name, path] : tensor_files(embedding_folder)) embeddings.push_back(path);
  for (const std::string& model : models) {
    Options options = common;
    options.model = model;
    for (const std::string& path : fitting_embeddings(options, embeddings)) options.embeddings.push_back(path);
    CatalogModel entry{.name = name_of(model), .options = options, .info = inspect_model(options), .check = RequestCheck(options)};
    for (const std::string& path : options.embeddings) entry.embeddings.push_back(fs::path(path).stem().string());
    auto same = std::ranges::find(models_, entry.name, &CatalogModel::name);
    if (same != models_.end()) fail(ErrorKind::usage, "two models are named {}: {} and {}", entry.name, model, same->options.model);
    models_.push_back(std::move(entry));
  }
  require(!models_.empty(), ErrorKind::usage, "no model to serve");
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

std::map<std::string, std::string> Catalog::loras() const { return tensor_files(lora_folder_); }

std::string Catalog::lora(const std::string& name) const {
  const std::map<std::string, std::string> all = loras();
  if (auto found = all.find(name); found != all.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [known_name, path] : all) known.push_back(known_name);
  unknown("LoRA", name, known);
}

}  // namespace hayate::server
