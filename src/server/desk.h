// Where jobs are handed in, looked up and cancelled. Safe for use by many threads.
#pragma once
#include "server/job_queue.h"
#include "server/job_store.h"
#include "server/metrics.h"

namespace hayate::server {

class Desk {
 public:
  Desk(QueueLimits limits, Metrics& metrics) : metrics_(metrics), queue_(limits, pace_) {}

  JobPtr submit(JobSpec);  // throws HttpError as JobQueue::add
  void cancel(const JobPtr&, const std::string& why);
  JobPtr find(const std::string& id) const { return store_.find(id); }
  std::vector<JobPtr> jobs() const { return store_.all(); }
  size_t unfinished() const { return unfinished_; }
  size_t queued() const { return queue_.size(); }

  void tick();                      // once a second or so: deadlines, forgetting
  void close() { queue_.close(); }  // takes no more jobs
  void cancel_all(const std::string& why);

  JobQueue& queue() { return queue_; }
  Pace& pace() { return pace_; }

 private:
  void account(const Job&);

  Metrics& metrics_;
  Pace pace_;
  JobQueue queue_;
  JobStore store_;
  std::atomic<size_t> unfinished_ = 0;
};

}  // namespace hayate::server
