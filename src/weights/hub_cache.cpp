// CACHE/models--ORG--NAME/refs/main names the folder below snapshots/. Layout: huggingface_hub, "Understand caching".
#include "weights/hub_cache.h"

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "core/file_reader.h"
#include "core/json.h"
#include "weights/folder_listing.h"

namespace hayate {

bool is_hub_name(const std::string& name) {
  auto is_part = [](std::string_view part) {
    auto allowed = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.'; };
    return !part.empty() && part != "." && part != ".." && std::ranges::all_of(part, allowed);
  };
  const size_t slash = name.find('/');
  return slash != name.npos && is_part(std::string_view(name).substr(0, slash)) && is_part(std::string_view(name).substr(slash + 1));
}

std::string find_in_hub_cache(const std::string& cache, const std::string& name) {
  std::string folder = "models--" + name;
  folder.replace(folder.find('/'), 1, "--");
  const std::string model = cache + "/" + folder, ref = model + "/refs/main";
  require(!cache.empty() && present(ref), ErrorKind::not_found,
          "{}: is neither a file or folder nor in the Hugging Face cache, where it would be {}. To download it: hf download {}", name, model, name);
  std::string revision = read_text_file(ref, 1000);
  while (!revision.empty() && std::isspace(static_cast<unsigned char>(revision.back()))) revision.pop_back();
  require(is_plain_name(revision), ErrorKind::bad_file, "{}: found {}, expected the name of a snapshot", ref, excerpt(revision));
  const std::string snapshot = model + "/snapshots/" + revision;
  require(present(snapshot), ErrorKind::not_found,
          "{}: its refs/main names the snapshot {}, which is not there. To download it again: hf download {}", model, revision, name);
  return snapshot;
}

}  // namespace hayate
