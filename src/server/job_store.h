// Jobs by id, for a while after they have ended. Safe for use by many threads.
#pragma once
#include <mutex>
#include <unordered_map>

#include "server/job.h"

namespace hayate::server {

class JobStore {
 public:
  void add(JobPtr);
  JobPtr find(const std::string& id) const;  // null if there is none
  std::vector<JobPtr> all() const;           // in no order
  // Forgets what ended long ago, and of what is left the oldest while they take too much memory.
  void forget_old();

  static constexpr std::chrono::minutes kept{10};
  static constexpr size_t most_ended = 256, most_bytes = size_t{256} << 20;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, JobPtr> jobs_;
};

}  // namespace hayate::server
