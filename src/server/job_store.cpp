// What is kept of jobs that have ended, and for how long.
#include "server/job_store.h"

#include <algorithm>

namespace hayate::server {

void JobStore::add(JobPtr job) {
  std::lock_guard lock(mutex_);
  jobs_.emplace(job->id(), job);
}

JobPtr JobStore::find(const std::string& id) const {
  std::lock_guard lock(mutex_);
  auto found = jobs_.find(id);
  return found == jobs_.end() ? nullptr : found->second;
}

std::vector<JobPtr> JobStore::all() const {
  std::lock_guard lock(mutex_);
  std::vector<JobPtr> jobs;
  for (const auto& [id, job] : jobs_) jobs.push_back(job);
  return jobs;
}

void JobStore::forget_old() {
  struct Ended {
    Clock::time_point at;
    size_t bytes;
    std::string id;
  };
  std::vector<Ended> ended;
  std::lock_guard lock(mutex_);
  for (const auto& [id, job] : jobs_) {
    const std::optional<Clock::time_point> at = job->ended_at();
    if (!at) continue;
    const Request& request = job->spec().request;
    size_t bytes = 0;
    for (const auto& given : {&request.init_image, &request.mask}) bytes += *given ? (*given)->rgb.size() : 0;
    for (const auto& drawn : job->status().drawn) bytes += drawn ? drawn->file.size() : 0;
    ended.push_back({*at, bytes, id});
  }
  std::ranges::sort(ended, std::greater{}, &Ended::at);  // the newest first
  size_t count = 0, bytes = 0;
  const Clock::time_point oldest = Clock::now() - kept;
  for (const Ended& e : ended) {
    bytes += e.bytes;
    if (e.at < oldest || ++count > most_ended || bytes > most_bytes) jobs_.erase(e.id);
  }
}

}  // namespace hayate::server
