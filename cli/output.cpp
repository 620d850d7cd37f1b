// Standard output, standard error and output paths.
#include "output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "hayate/error.h"

namespace hayate::cli {

namespace fs = std::filesystem;

namespace {

fs::path folder_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : "."; }

}  // namespace

void print_result(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    throw Error(ErrorKind::io, fmt::format("standard output: {}", std::strerror(errno)));
}

void print_note(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stderr); }

void check_writable(const std::string& path) {
  std::error_code ignored;
  if (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored))
    throw Error(ErrorKind::io, fmt::format("{}: exists and is not a regular file", path));
  if (fs::path(path).filename().string().size() > NAME_MAX)
    throw Error(ErrorKind::io, fmt::format("{}: a name of more than {} bytes", path, NAME_MAX));
  fs::path folder = folder_of(path);
  if (!fs::exists(folder, ignored)) folder = folder_of(folder);
  if (access(folder.c_str(), W_OK | X_OK) != 0)
    throw Error(ErrorKind::io, fmt::format("{}: cannot write here: {}", folder.string(), std::strerror(errno)));
  if (!fs::is_directory(folder, ignored)) throw Error(ErrorKind::io, fmt::format("{}: not a folder", folder.string()));
}

void make_folder(const std::string& path_of_file) {
  std::error_code error;
  fs::path folder = folder_of(path_of_file);
  fs::create_directory(folder, error);
  if (error) throw Error(ErrorKind::io, fmt::format("{}: cannot make this folder: {}", folder.string(), error.message()));
}

}  // namespace hayate::cli
