// Names in the index are data, never code: nothing is imported, and a name that leaves the folder is refused.
#include "weights/checkpoint.h"

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "weights/names.h"
#include "weights/safetensors.h"

namespace hayate {
namespace {

namespace fs = std::filesystem;

// True also for a broken link: opening it gives the better error.
bool present(const fs::path& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type() != fs::file_type::not_found;
}

// "unet/, vae/, README.md", for an error that says what is there instead.
std::string list_entries(const fs::path& folder) {
  constexpr size_t shown = 12;
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    names.push_back(entry->path().filename().string() + (entry->is_directory(error) ? "/" : ""));
  if (names.empty()) return error ? error.message() : "nothing";
  std::ranges::sort(names);
  const size_t more = names.size() - std::min(names.size(), shown);
  names.resize(names.size() - more);
  return fmt::format("{}{}", fmt::join(names, ", "), more ? fmt::format(" and {} more", more) : "");
}

// An entry of the index that stands for a component: [library, class], or nulls where it is left out.
bool is_component(const Json& entry) {
  return entry.is_array() && entry.size() == 2 && std::ranges::all_of(entry, [](const Json& part) { return part.is_string() || part.is_null(); });
}

void check_component_name(const std::string& file, const std::string& name) {
  bool inside = !name.empty() && name != "." && name != ".." && name.find_first_of(std::string_view("/\\\0", 3)) == name.npos;
  require(inside, ErrorKind::bad_model, "{}: the component name {} is not the name of a folder", file, excerpt(name));
}

}  // namespace

ModelFolder::ModelFolder(const std::string& path) : path_(path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  require(status.type() != fs::file_type::not_found, ErrorKind::not_found, "{}: there is no such model folder", path);
  require(fs::is_directory(status), ErrorKind::unsupported, "{}: is not a folder, expected a diffusers model folder with a model_index.json", path);
  const std::string file = path + "/model_index.json";
  require(present(file), ErrorKind::bad_model, "{}: is not a diffusers model folder: it has no model_index.json. Found: {}", path,
          list_entries(path));
  index_ = read_json_file(file);
  require(index_.is_object(), ErrorKind::bad_model, "{}: found {}, expected a JSON object", file, excerpt(index_));
  for (const auto& [name, entry] : index_.items())
    if (is_component(entry)) check_component_name(file, name);
}

bool ModelFolder::has(const std::string& component) const {
  auto entry = index_.find(component);
  return entry != index_.end() && is_component(*entry) && !entry->at(1).is_null();
}

std::string ModelFolder::path(const std::string& component) const {
  if (!has(component)) {
    std::vector<std::string> listed;
    for (const auto& [name, entry] : index_.items())
      if (has(name)) listed.push_back(name);
    fail(ErrorKind::bad_model, "{}/model_index.json: no component \"{}\". Listed: {}", path_, component, fmt::join(listed, ", "));
  }
  return path_ + "/" + component;
}

std::string ModelFolder::find_file(const std::string& component, std::initializer_list<const char*> candidates) const {
  const std::string folder = path(component);
  for (const char* name : candidates)
    if (present(folder + "/" + name)) return folder + "/" + name;
  fail(ErrorKind::not_found, "{}: looked for {}. Found: {}", folder, fmt::join(candidates, " or "), list_entries(folder));
}

Json ModelFolder::config(const std::string& component) const {
  return read_json_file(find_file(component, {"config.json", "scheduler_config.json", "tokenizer_config.json"}));
}

std::unique_ptr<TensorSource> ModelFolder::tensors(const std::string& component) const {
  return with_current_names(std::make_unique<SafetensorsFile>(find_file(component, {"diffusion_pytorch_model.safetensors", "model.safetensors"})));
}

}  // namespace hayate
