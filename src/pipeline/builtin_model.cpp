// The places to look for the built-in model. cmake/install.cmake defines the paths.
#include "pipeline/builtin_model.h"

#include <array>
#include <filesystem>

#include "core/error.h"

namespace hayate {

std::string builtin_model_folder() {
  namespace fs = std::filesystem;
  std::error_code ignored;
  fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  std::array<std::string, 3> places = {program.parent_path().parent_path() / HAYATE_MODEL_BELOW_PREFIX, HAYATE_MODEL_INSTALLED,
                                       HAYATE_MODEL_IN_SOURCE};
  for (const std::string& place : places)
    if (fs::exists(place + "/model_index.json", ignored)) return place;
  fail(ErrorKind::not_found, "the built-in model is in none of {}", fmt::join(places, ", "));
}

}  // namespace hayate
