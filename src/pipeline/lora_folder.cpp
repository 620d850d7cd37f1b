// A name is only ever compared with names of files, so none leads out of the folder.
#include "pipeline/lora_folder.h"

#include <filesystem>

#include "core/error.h"
#include "core/json.h"
#include "prompt/a1111_networks.h"
#include "weights/folder_listing.h"

namespace hayate {
namespace {

namespace fs = std::filesystem;
constexpr const char* ending = ".safetensors";
constexpr int deepest = 8;
constexpr size_t most_entries = 100000;

std::vector<fs::path> files_in(const std::string& folder) {
  std::vector<fs::path> files;
  std::error_code failure;
  size_t entries = 0;
  fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, failure);
  require(!failure, ErrorKind::io, "{}: the folder of LoRAs cannot be read: {}", folder, failure.message());
  for (; it != fs::recursive_directory_iterator(); it.increment(failure)) {
    require(!failure && ++entries <= most_entries, ErrorKind::io, "{}: the folder of LoRAs {}", folder,
            failure ? "cannot be read: " + failure.message() : fmt::format("has more than {} entries", most_entries));
    if (it.depth() >= deepest) it.disable_recursion_pending();
    if (it->path().extension() == ending) files.push_back(it->path());
  }
  return files;
}

std::string find_lora(const std::string& folder, const std::string& name) {
  require(!folder.empty(), ErrorKind::usage, "the prompt names the LoRA {}, but no folder is given in which it could be (lora_folder)", excerpt(name));
  std::vector<std::string> found, others;
  for (const fs::path& file : files_in(folder)) (file.stem() == name ? found : others).push_back(file.stem() == name ? file.string() : file.stem().string());
  require(!found.empty(), ErrorKind::not_found, "the prompt names the LoRA {}, which is not in the folder {}; there {}", excerpt(name), folder,
          others.empty() ? "is none" : "are " + list_names(others));
  require(found.size() == 1, ErrorKind::usage, "the prompt names the LoRA {}, which is in the folder {} more than once: {}", excerpt(name), folder, list_names(found));
  return found[0];
}

}  // namespace

std::vector<Lora> loras_of(const Picture& picture, PromptSyntax syntax, const std::string& folder) {
  std::vector<Lora> loras;
  if (syntax != PromptSyntax::a1111) return loras;
  for (const std::string* prompt : {&picture.prompt, picture.prompt_2 ? &*picture.prompt_2 : nullptr})
    if (prompt)
      for (const PromptLora& lora : loras_in(*prompt)) loras.push_back({find_lora(folder, lora.name), lora.weight, lora.text_weight});
  return loras;
}

}  // namespace hayate
