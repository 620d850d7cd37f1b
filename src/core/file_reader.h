// Reading regular files piece by piece into memory of ours. Files are never mapped: one that shrinks while it is mapped kills
// the process (SIGBUS), one that shrinks while it is read is an error.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/file_descriptor.h"

namespace hayate {

class FileReader {
 public:
  explicit FileReader(const std::string& path);

  const std::string& path() const { return path_; }
  int64_t size() const { return size_; }

  // Fills `out` from byte `offset` on. Error(bad_file) if the file changed since it was opened. Safe from many threads.
  void read(int64_t offset, std::span<std::byte> out) const;
  // The system may fetch these bytes while the program does something else.
  void announce(int64_t offset, int64_t bytes) const { ::posix_fadvise(fd_.get(), offset, bytes, POSIX_FADV_WILLNEED); }

 private:
  std::string path_;
  FileDescriptor fd_;
  int64_t size_ = 0;
  timespec modified_{};
};

std::string read_text_file(const std::string& path, int64_t max_bytes);

// The same of anything that can be read to its end, pipes and terminals too; waits for them.
std::string read_text_stream(const std::string& path, size_t max_bytes);

}  // namespace hayate
