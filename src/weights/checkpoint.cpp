// Which kind of model a path is.
#include "weights/checkpoint.h"

#include <filesystem>

#include "core/error.h"
#include "weights/folder_checkpoint.h"
#include "weights/single_file_checkpoint.h"

namespace hayate {

std::unique_ptr<Checkpoint> open_checkpoint(const std::string& path, const std::string& tokenizers) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  require(status.type() != std::filesystem::file_type::not_found, ErrorKind::not_found, "{}: there is no such model", path);
  if (!std::filesystem::is_directory(status)) return std::make_unique<SingleFileCheckpoint>(path, tokenizers);
  return std::make_unique<FolderCheckpoint>(path, tokenizers);
}

std::string model_name(const std::string& path) {
  const std::filesystem::path normal = std::filesystem::path(path + "/").parent_path().lexically_normal();
  return (normal.extension() == ".safetensors" ? normal.stem() : normal.filename()).string();
}

}  // namespace hayate
