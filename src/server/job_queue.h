// Jobs that wait: bounded, fair between clients, and taken in batches that one run of a pipeline can draw. Safe for use by many threads.
#pragma once
#include <condition_variable>
#include <deque>

#include "server/pace.h"

namespace hayate::server {

// Some pictures of a job: those from `first` on.
struct Part {
  JobPtr job{};
  size_t first = 0, count = 0;
};

struct QueueLimits {
  size_t jobs = 64, jobs_of_a_client = 16;
  size_t pictures_at_once = 8;
  size_t drawers = 1;  // who take from it
};

// Whether pictures of both can be drawn in one batch such that each comes out as it would alone.
bool share_batch(const JobSpec&, const JobSpec&);

class JobQueue {
 public:
  JobQueue(QueueLimits limits, const Pace& pace) : limits_(limits), pace_(pace), running_left_(limits.drawers) {}

  // Throws HttpError 429 where it is full, with Retry-After, and 503 once closed.
  void add(JobPtr);
  // Waits for work; nothing once closed and empty. Clients take turns; a client's jobs come in order. Jobs that would need other LoRAs than `last`,
  // or another pipeline, may be put off a few times. A job stays in the queue while it has pictures left. What is taken counts as running until the
  // next call of the same drawer.
  std::vector<Part> take(const std::optional<Setup>& last, size_t drawer = 0);
  // Takes out what has ended or is too late.
  void sweep();
  void running_left(double seconds, size_t drawer = 0);  // of what it has taken last, estimated
  void close();

  size_t size() const;
  bool empty() const { return size() == 0; }
  bool closed() const;

 private:
  struct Waiting {
    JobPtr job{};
    size_t taken = 0;  // pictures
    size_t left() const { return job->pictures() - taken; }
    double work() const { return Pace::work(job->spec().request, left()); }
  };
  using Line = std::deque<Waiting>;

  std::vector<const Waiting*> in_order() const;
  double first_free() const;  // seconds until a drawer is done
  int retry_after() const;
  size_t choose(const std::optional<Setup>& last);
  void drop_ended();
  void tell_places() const;
  size_t count() const;

  const QueueLimits limits_;
  const Pace& pace_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<std::string, Line>> lines_;  // one a client; the first is next
  int put_off_ = 0;
  std::vector<double> running_left_;  // by drawer
  bool closed_ = false;
};

}  // namespace hayate::server
