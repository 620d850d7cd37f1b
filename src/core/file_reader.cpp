// pread in a loop, and the checks that the file is still the one that was opened.
#include "core/file_reader.h"

namespace hayate {

FileReader::FileReader(const std::string& path) : path_(path) {
  require(path.find('\0') == path.npos, ErrorKind::usage, "a file name cannot contain a zero byte: {}", path);
  // O_NONBLOCK: a FIFO without a writer is refused below instead of blocking here.
  fd_ = FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (fd_.get() < 0 || ::fstat(fd_.get(), &status) != 0) fail_errno("open", path);
  require(!S_ISDIR(status.st_mode), ErrorKind::bad_file, "{}: is a folder, expected a file", path);
  require(S_ISREG(status.st_mode), ErrorKind::bad_file, "{}: is a device, pipe or socket, expected a regular file", path);
  size_ = status.st_size;
  modified_ = status.st_mtim;
}

void FileReader::read(int64_t offset, std::span<std::byte> out) const {
  require(offset >= 0 && offset <= size_ && int64_t(out.size()) <= size_ - offset, ErrorKind::bad_file,
          "{}: {} bytes are needed at byte {}, but the file has {}", path_, out.size(), offset, size_);
  size_t done = 0;
  while (done < out.size()) {
    ssize_t got = ::pread(fd_.get(), out.data() + done, out.size() - done, offset + int64_t(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_errno("read", path_);
    if (got == 0) break;
    done += size_t(got);
  }
  struct stat now {};
  if (::fstat(fd_.get(), &now) != 0) fail_errno("read", path_);
  bool unchanged = now.st_size == size_ && now.st_mtim.tv_sec == modified_.tv_sec && now.st_mtim.tv_nsec == modified_.tv_nsec;
  require(unchanged && done == out.size(), ErrorKind::bad_file, "{}: changed while it was read ({} bytes when opened, {} now)", path_, size_,
          now.st_size);
}

std::string read_text_file(const std::string& path, int64_t max_bytes) {
  FileReader file(path);
  require(file.size() <= max_bytes, ErrorKind::bad_file, "{}: {} bytes long, expected at most {}", path, file.size(), max_bytes);
  std::string text(size_t(file.size()), '\0');
  file.read(0, std::as_writable_bytes(std::span(text)));
  return text;
}

std::string read_text_stream(const std::string& path, size_t max_bytes) {
  require(path.find('\0') == path.npos, ErrorKind::usage, "a file name cannot contain a zero byte: {}", path);
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (fd.get() < 0) fail_errno("open", path);
  std::string text;
  char buffer[1 << 16];
  while (ssize_t got = ::read(fd.get(), buffer, sizeof buffer)) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_errno("read", path);
    text.append(buffer, size_t(got));
    require(text.size() <= max_bytes, ErrorKind::bad_file, "{}: more than {} bytes long", path, max_bytes);
  }
  return text;
}

}  // namespace hayate
