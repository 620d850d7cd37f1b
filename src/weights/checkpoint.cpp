// Which kind of model a path is.
#include "weights/checkpoint.h"

#include <filesystem>

#include "core/error.h"
#include "weights/folder_checkpoint.h"
#include "weights/folder_listing.h"
#include "weights/single_file_checkpoint.h"

namespace hayate {
namespace {

// Of a folder that is none of diffusers: where a model was downloaded to.
std::string only_file_in(const std::string& folder) {
  std::vector<std::string> files = folder_entries(folder);
  std::erase_if(files, [](const std::string& name) { return !name.ends_with(".safetensors"); });
  require(!files.empty(), ErrorKind::bad_model, "{}: is not a model: it has neither model_index.json nor a .safetensors file. Found: {}", folder,
          list_entries(folder));
  require(files.size() == 1, ErrorKind::bad_model, "{}: has no model_index.json but {} .safetensors files; give one of them: {}", folder,
          files.size(), list_names(files));
  return (std::filesystem::path(folder) / files[0]).string();
}

}  // namespace

std::unique_ptr<Checkpoint> open_checkpoint(const std::string& path, const std::string& tokenizers) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  require(status.type() != std::filesystem::file_type::not_found, ErrorKind::not_found, "{}: there is no such model", path);
  if (!std::filesystem::is_directory(status)) return std::make_unique<SingleFileCheckpoint>(path, tokenizers);
  if (present(path + "/model_index.json")) return std::make_unique<FolderCheckpoint>(path, tokenizers);
  return std::make_unique<SingleFileCheckpoint>(only_file_in(path), tokenizers);
}

std::string model_name(const std::string& path) {
  const std::filesystem::path normal = std::filesystem::path(path + "/").parent_path().lexically_normal();
  return (normal.extension() == ".safetensors" ? normal.stem() : normal.filename()).string();
}

}  // namespace hayate
