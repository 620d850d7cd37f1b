// Names in the index are data, never code: nothing is imported, and a name that leaves the folder is refused.
#include "weights/folder_checkpoint.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "weights/folder_listing.h"
#include "weights/names.h"
#include "weights/tokenizer_folder.h"
#include "weights/weight_files.h"

namespace hayate {
namespace {

// An entry of the index that stands for a component: [library, class], or nulls where it is left out.
bool is_component(const Json& entry) {
  return entry.is_array() && entry.size() == 2 && std::ranges::all_of(entry, [](const Json& part) { return part.is_string() || part.is_null(); });
}

JsonObject read_index(const std::string& path) {
  const std::string file = path + "/model_index.json";
  JsonObject index(read_json_file(file), file);
  for (const std::string& name : index.keys())
    require(!index.has(name) || !is_component(index.raw(name)) || is_plain_name(name), ErrorKind::bad_model,
            "{}: the component name {} is not the name of a folder", file, excerpt(name));
  return index;
}

}  // namespace

FolderCheckpoint::FolderCheckpoint(const std::string& path, const std::string& tokenizers)
    : path_(path), tokenizers_(tokenizers), index_(read_index(path)) {}

bool FolderCheckpoint::has(const std::string& component) const {
  return index_.has(component) && is_component(index_.raw(component)) && !index_.raw(component).at(1).is_null();
}

std::string FolderCheckpoint::folder(const std::string& component) const {
  if (!has(component)) {
    std::vector<std::string> listed;
    for (const std::string& name : index_.keys())
      if (has(name)) listed.push_back(name);
    fail(ErrorKind::bad_model, "{}: no component \"{}\". Listed: {}", index_.what(), component, fmt::join(listed, ", "));
  }
  return path_ + "/" + component;
}

JsonObject FolderCheckpoint::config(const std::string& component) const {
  const std::string path = folder(component);
  const std::array names = {"config.json", "scheduler_config.json"};
  auto name = std::ranges::find_if(names, [&](const char* candidate) { return present(path + "/" + candidate); });
  require(name != names.end(), ErrorKind::not_found, "{}: looked for {}. Found: {}", path, fmt::join(names, " or "), list_entries(path));
  return {read_json_file(path + "/" + *name), path + "/" + *name};
}

std::shared_ptr<const TensorSource> FolderCheckpoint::tensors(const std::string& component) const {
  return with_current_names(open_weights(folder(component)));
}

std::string FolderCheckpoint::tokenizer(const std::string& component) const {
  return has(component) ? folder(component) : installed_tokenizer(tokenizers_, component, path_);
}

}  // namespace hayate
