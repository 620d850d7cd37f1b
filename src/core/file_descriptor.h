// An open file of the operating system, closed with its owner.
#pragma once
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "core/error.h"

namespace hayate {

// Throws what `errno` says about `path`: "cannot write out.png: No space left on device".
[[noreturn]] inline void fail_errno(const char* action, const std::string& path) {
  const int code = errno;
  ErrorKind kind = code == ENOENT || code == ENOTDIR ? ErrorKind::not_found : ErrorKind::io;
  fail(kind, "cannot {} {}: {}", action, path, std::generic_category().message(code));
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor() { close(); }

  int get() const { return fd_; }
  bool close() { return fd_ < 0 || ::close(std::exchange(fd_, -1)) == 0; }  // false, with errno set: a late write error

 private:
  int fd_;
};

}  // namespace hayate
