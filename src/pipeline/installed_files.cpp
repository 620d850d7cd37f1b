// Beside the program, or the Python module that this code is in, so that an installation can be moved.
#include "pipeline/installed_files.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>

#include "core/error.h"

namespace hayate {
namespace {

namespace fs = std::filesystem;

std::array<std::string, 4> places(const std::string& installed, const std::string& in_source) {
  std::error_code ignored;
  fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  static const char here = 0;
  Dl_info module{};
  dladdr(&here, &module);
  return {fs::path(module.dli_fname ? module.dli_fname : "").parent_path() / "share/hayate" / installed,
          program.parent_path().parent_path() / "share/hayate" / installed, fs::path(HAYATE_INSTALL_PREFIX) / "share/hayate" / installed,
          fs::path(HAYATE_SOURCE_DIR) / in_source};
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// The first place with the file that makes the folder what it is.
std::string model_folder(const std::string& name, const std::string& file, const char* what) {
  const auto all = places("models/" + name, "models/" + name);
  auto found = std::ranges::find_if(all, [&](const std::string& place) { return exists(place + "/" + file); });
  require(found != all.end(), ErrorKind::not_found, "{} is in none of {}", what, fmt::join(all, ", "));
  return *found;
}

}  // namespace

std::string builtin_model_folder() { return model_folder("builtin", "model_index.json", "the built-in model"); }

std::string quality_list_folder() { return model_folder("quality", "prompts.json", "the list of prompts to measure quality with"); }

std::string clip_tokenizers_folder() {
  const auto all = places("clip_tokenizer", "build/clip_tokenizer");
  auto found = std::ranges::find_if(all, exists);
  return found == all.end() ? all.back() : *found;
}

std::string cache_file(const std::string& name) {
  auto variable = [](const char* key) {
    const char* value = std::getenv(key);
    return fs::path(value ? value : "");
  };
  fs::path cache = variable("XDG_CACHE_HOME"), home = variable("HOME");
  if (!cache.is_absolute()) cache = home.is_absolute() ? home / ".cache" : fs::path();
  return cache.empty() ? "" : cache / "hayate" / name;
}

}  // namespace hayate
