// Accounting of jobs as they come and go.
#include "server/desk.h"

namespace hayate::server {

JobPtr Desk::submit(JobSpec spec) {
  auto job = std::make_shared<Job>(std::move(spec), [this](const Job& ended) { account(ended); });
  ++unfinished_;
  try {
    queue_.add(job);
  } catch (...) {
    --unfinished_;
    metrics_.count("hayate_jobs_total", {{"api", job->spec().api}, {"outcome", "rejected"}});
    throw;
  }
  store_.add(job);
  return job;
}

void Desk::account(const Job& job) {
  const JobStatus status = job.status();
  const std::string outcome = status.state == JobState::failed && status.error ? status.error->code : name_of(status.state);
  metrics_.count("hayate_jobs_total", {{"api", job.spec().api}, {"outcome", outcome}});
  metrics_.observe("hayate_queue_seconds", status.seconds_queued);
  if (status.state == JobState::done) metrics_.observe("hayate_job_seconds", status.seconds_queued + status.seconds_drawing);
  --unfinished_;
}

void Desk::cancel(const JobPtr& job, const std::string& why) {
  job->cancel(why);
  queue_.sweep();
}

void Desk::cancel_all(const std::string& why) {
  for (const JobPtr& job : store_.all()) job->fail({503, why, "shutting_down", {{"Retry-After", "10"}}});
  queue_.sweep();
}

void Desk::tick() {
  queue_.sweep();
  store_.forget_old();
}

}  // namespace hayate::server
