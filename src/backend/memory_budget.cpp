// Counting under a lock: memory is taken a few thousand times a request at most.
#include "backend/memory_budget.h"

#include <algorithm>

#include "hayate/byte_size.h"
#include "core/error.h"

namespace hayate {

void MemoryBudget::set_limit(int64_t bytes) {
  std::lock_guard lock(mutex_);
  limit_ = bytes;
}

void MemoryBudget::take(int64_t bytes) {
  std::lock_guard lock(mutex_);
  require(bytes <= limit_ - used_, ErrorKind::out_of_memory, "{} more are needed, {} are in use and the limit is {}", size_text(bytes), size_text(used_),
          size_text(limit_));
  used_ += bytes;
  peak_ = std::max(peak_, used_);
}

void MemoryBudget::give_back(int64_t bytes) noexcept {
  std::lock_guard lock(mutex_);
  used_ -= bytes;
}

int64_t MemoryBudget::limit() const {
  std::lock_guard lock(mutex_);
  return limit_;
}

int64_t MemoryBudget::used() const {
  std::lock_guard lock(mutex_);
  return used_;
}

int64_t MemoryBudget::peak() const {
  std::lock_guard lock(mutex_);
  return peak_;
}

void MemoryBudget::start_peak() {
  std::lock_guard lock(mutex_);
  peak_ = used_;
}

}  // namespace hayate
