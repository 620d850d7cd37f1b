// Temporary file, fsync, rename, fsync of the folder.
#include "core/atomic_file.h"

#include <atomic>
#include <cstdio>
#include <filesystem>

namespace hayate {
namespace {

std::string follow_links(const std::string& path) {
  std::error_code ignored;  // a path that cannot be resolved fails, with a better message, when it is opened
  std::filesystem::path target = std::filesystem::weakly_canonical(path, ignored);
  return target.empty() ? path : target.string();
}

}  // namespace

AtomicFile::AtomicFile(const std::string& path) : path_(follow_links(path)) {
  require(!path.empty() && path.find('\0') == path.npos, ErrorKind::usage, "\"{}\" is not a file name", path);
  struct stat status {};
  require(::stat(path_.c_str(), &status) != 0 || S_ISREG(status.st_mode), ErrorKind::usage, "cannot write {}: it exists and is not a regular file",
          path_);
  const std::filesystem::path parent = std::filesystem::path(path_).parent_path();
  folder_ = parent.empty() ? std::string(".") : parent.string();
  static std::atomic<unsigned> counter = 0;
  do {  // not mkstemp: the file must get the permissions that the umask asks for
    temporary_ = fmt::format("{}/.hayate-{}-{}.tmp", folder_, ::getpid(), counter++);
    fd_ = FileDescriptor(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  } while (fd_.get() < 0 && errno == EEXIST);
  if (fd_.get() < 0) fail_errno("write", path_);
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  write_at(end_, bytes);
  end_ += int64_t(bytes.size());
}

void AtomicFile::write_at(int64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    ssize_t wrote = ::pwrite(fd_.get(), bytes.data(), bytes.size(), offset);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) fail_errno("write", path_);
    bytes = bytes.subspan(size_t(wrote));
    offset += wrote;
  }
}

void AtomicFile::commit() {
  if (::fsync(fd_.get()) != 0 || !fd_.close()) fail_errno("write", path_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_errno("write", path_);
  temporary_.clear();
  FileDescriptor folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // EINVAL: a file system without this notion. A folder that may be written but not read cannot be synced at all.
  if (folder.get() >= 0 && ::fsync(folder.get()) != 0 && errno != EINVAL) fail_errno("write", path_);
}

}  // namespace hayate
