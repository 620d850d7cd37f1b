// mmap: addresses without access hold nothing and count nowhere.
#include "core/page_range.h"

#include <sys/mman.h>

#include "core/error.h"

namespace hayate {

namespace {
[[noreturn]] void fail_to_map(int64_t bytes) { fail(ErrorKind::out_of_memory, "host memory: the system refuses {} bytes", bytes); }
}  // namespace

PageRange::PageRange(int64_t bytes) : bytes_(bytes) {
  void* data = ::mmap(nullptr, size_t(bytes), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) fail_to_map(bytes);
  data_ = static_cast<std::byte*>(data);
}

PageRange::~PageRange() {
  if (data_) ::munmap(data_, size_t(bytes_));
}

void PageRange::commit() {
  if (::mprotect(data_, size_t(bytes_), PROT_READ | PROT_WRITE) != 0) fail_to_map(bytes_);
  ::madvise(data_, size_t(bytes_), MADV_HUGEPAGE);  // a hint: zeroing and address translation cost less by the 2 MiB
}

void PageRange::decommit() noexcept {
  ::mmap(data_, size_t(bytes_), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

}  // namespace hayate
