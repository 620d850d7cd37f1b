// A file that appears whole or not at all.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/file_descriptor.h"

namespace hayate {

// Writes into a temporary file in the folder of `path`; commit() puts it in place of `path`, on disk before it is visible.
// Without commit() nothing of it remains. A link is followed; only a regular file is ever replaced (Error(usage) for others).
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);
  AtomicFile(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(std::span<const std::byte> bytes);  // after what write() wrote before
  void write_at(int64_t offset, std::span<const std::byte> bytes);
  void commit();

 private:
  std::string path_, folder_, temporary_;
  FileDescriptor fd_;
  int64_t end_ = 0;
};

}  // namespace hayate
