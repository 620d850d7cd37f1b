// Temporary folder, then rename.
#include "core/atomic_folder.h"

#include <atomic>
#include <cstdio>
#include <filesystem>

#include "core/file_descriptor.h"

namespace hayate {

namespace fs = std::filesystem;

void require_absent(const std::string& path) {
  std::error_code ignored;
  require(fs::symlink_status(path, ignored).type() == fs::file_type::not_found, ErrorKind::usage, "{}: exists already and is not replaced", path);
}

AtomicFolder::AtomicFolder(const std::string& name) : name_((fs::path(name + "/").parent_path()).string()) {
  require(!name.empty() && name.find('\0') == name.npos, ErrorKind::usage, "\"{}\" is not the name of a folder", name);
  require_absent(name_);
  const fs::path parent = fs::path(name_).parent_path();
  static std::atomic<unsigned> counter = 0;
  do {
    temporary_ = fmt::format("{}/.hayate-{}-{}.tmp", parent.empty() ? "." : parent.string(), ::getpid(), counter++);
  } while (::mkdir(temporary_.c_str(), 0777) != 0 && errno == EEXIST);
  std::error_code ignored;
  if (!fs::is_directory(temporary_, ignored)) {
    temporary_.clear();
    fail_errno("create", name_);
  }
}

AtomicFolder::~AtomicFolder() {
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
}

std::string AtomicFolder::make(const std::string& subfolder) const {
  const std::string path = temporary_ + "/" + subfolder;
  if (::mkdir(path.c_str(), 0777) != 0) fail_errno("create", path);
  return path;
}

void AtomicFolder::commit() {
  require_absent(name_);
  if (::rename(temporary_.c_str(), name_.c_str()) != 0) fail_errno("create", name_);
  temporary_.clear();
}

}  // namespace hayate
