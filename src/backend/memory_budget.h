// How many bytes the buffers and arenas of a device take, and may take.
#pragma once
#include <cstdint>
#include <limits>
#include <mutex>

namespace hayate {

// Safe from many threads.
class MemoryBudget {
 public:
  void set_limit(int64_t bytes);
  void take(int64_t bytes);  // throws Error(out_of_memory) where the limit does not allow it, and then takes nothing
  void give_back(int64_t bytes) noexcept;

  int64_t limit() const;
  int64_t used() const;
  int64_t peak() const;  // the most that was used at once since start_peak()
  void start_peak();

 private:
  mutable std::mutex mutex_;
  int64_t limit_ = std::numeric_limits<int64_t>::max(), used_ = 0, peak_ = 0;
};

}  // namespace hayate
