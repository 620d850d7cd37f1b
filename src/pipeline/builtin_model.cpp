// The places to look for the built-in model.
#include "pipeline/builtin_model.h"

#include <array>
#include <filesystem>

#include "core/error.h"

namespace hayate {

std::string builtin_model_folder() {
  namespace fs = std::filesystem;
  std::error_code ignored;
  fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  std::string installed = "share/hayate/models/builtin";
  std::array<std::string, 3> places = {program.parent_path().parent_path() / installed, fs::path(HAYATE_INSTALL_PREFIX) / installed,
                                       fs::path(HAYATE_SOURCE_DIR) / "models/builtin"};
  for (const std::string& place : places)
    if (fs::exists(place + "/model_index.json", ignored)) return place;
  fail(ErrorKind::not_found, "the built-in model is in none of {}", fmt::join(places, ", "));
}

}  // namespace hayate
