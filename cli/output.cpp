// Standard output, standard error and output paths.
#include "output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "hayate/error.h"

namespace hayate::cli {

namespace fs = std::filesystem;

void print_result(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    throw Error(ErrorKind::io, fmt::format("standard output: {}", std::strerror(errno)));
}

void print_note(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stderr); }

void check_writable(const std::string& path) {
  std::error_code ignored;
  if (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored))
    throw Error(ErrorKind::io, fmt::format("{}: exists and is not a regular file", path));
  std::string folder = fs::path(path).parent_path();
  if (folder.empty()) folder = ".";
  if (access(folder.c_str(), W_OK | X_OK) != 0) throw Error(ErrorKind::io, fmt::format("{}: cannot write here: {}", folder, std::strerror(errno)));
  if (!fs::is_directory(folder, ignored)) throw Error(ErrorKind::io, fmt::format("{}: not a folder", folder));
}

std::string numbered(const std::string& path, size_t index, size_t count) {
  if (count == 1) return path;
  fs::path p = path;
  return p.replace_filename(fmt::format("{}-{}{}", p.stem().string(), index + 1, p.extension().string()));
}

}  // namespace hayate::cli
