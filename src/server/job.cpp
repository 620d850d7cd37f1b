// Changes of a job, and who is told of them.
#include "server/job.h"

#include <sys/random.h>

#include "core/error.h"

namespace hayate::server {

namespace {

std::string random_id() {
  uint64_t bits[2];
  require(getrandom(bits, sizeof bits, 0) == ssize_t(sizeof bits), ErrorKind::io, "the system has no random numbers");
  return fmt::format("{:016x}{:016x}", bits[0], bits[1]);
}

double seconds(Clock::duration d) { return std::chrono::duration<double>(d).count(); }

Clock::time_point after(Clock::time_point start, double seconds) {
  return seconds > 0 ? start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds)) : Clock::time_point::max();
}

}  // namespace

const char* name_of(JobState state) {
  switch (state) {
    case JobState::queued: return "queued";
    case JobState::drawing: return "drawing";
    case JobState::done: return "done";
    case JobState::failed: return "failed";
    case JobState::cancelled: return "cancelled";
  }
  return "failed";
}

Job::Job(JobSpec spec, std::function<void(const Job&)> on_end)
    : id_(random_id()), spec_(std::move(spec)), on_end_(std::move(on_end)), deadline_(after(submitted_, spec_.deadline)) {
  status_.drawn.resize(pictures());
  status_.previews.resize(pictures());
  status_.steps = spec_.request.steps;
}

JobStatus Job::status() const {
  std::lock_guard lock(mutex_);
  JobStatus status = status_;
  status.state = state_;
  const Clock::time_point now = has_ended(state_) ? ended_ : Clock::now(), started = started_ == Clock::time_point{} ? now : started_;
  status.seconds_queued = seconds(started - submitted_);
  status.seconds_drawing = seconds(now - started);
  return status;
}

std::optional<Clock::time_point> Job::ended_at() const {
  std::lock_guard lock(mutex_);
  return ended() ? std::optional(ended_) : std::nullopt;
}

template <class Change>
void Job::change(Change&& change) {
  std::vector<std::function<void()>> told;
  bool has_ended = false;
  {
    std::lock_guard lock(mutex_);
    if (ended()) return;
    change();
    has_ended = ended();
    for (const auto& [number, watcher] : watchers_) told.push_back(watcher);
  }
  if (has_ended && on_end_) on_end_(*this);
  for (const auto& watcher : told) watcher();
}

void Job::end(JobState state, std::optional<HttpError> error) {
  ended_ = Clock::now();
  status_.error = std::move(error);
  status_.position = 0;
  status_.seconds_left.reset();
  status_.previews.assign(pictures(), nullptr);
  state_ = state;
}

void Job::place(int position, std::optional<double> seconds_left) {
  if (state_ != JobState::queued) return;
  change([&] { status_.position = position, status_.seconds_left = seconds_left; });
}

void Job::start(const std::string& rung) {
  change([&] {
    if (state_ == JobState::queued) started_ = Clock::now();
    state_ = JobState::drawing;
    status_.position = 0;
    status_.rung = rung;
  });
}

void Job::advance(size_t drawing, int step, int steps, std::optional<double> seconds_left) {
  change([&] {
    status_.step = step;
    status_.steps = steps;
    status_.progress = (double(status_.finished()) + double(drawing) * step / (steps + 1)) / double(pictures());  // decoding: one step more
    status_.seconds_left = seconds_left;
  });
}

void Job::show(size_t picture, Preview preview) {
  change([&] { status_.previews[picture] = std::make_shared<const Preview>(std::move(preview)); });
}

void Job::add(size_t picture, Drawn drawn) {
  change([&] {
    status_.drawn[picture] = std::make_shared<const Drawn>(std::move(drawn));
    status_.progress = double(status_.finished()) / double(pictures());
    if (status_.finished() == pictures()) end(JobState::done, std::nullopt);
  });
}

void Job::fail(HttpError error) {
  change([&] { end(JobState::failed, std::move(error)); });
}

void Job::cancel(const std::string& why) {
  change([&] { end(JobState::cancelled, HttpError{499, why, "cancelled"}); });
}

int Job::watch(std::function<void()> changed) {
  std::lock_guard lock(mutex_);
  watchers_.emplace(next_watcher_, std::move(changed));
  return next_watcher_++;
}

void Job::unwatch(int number) {
  std::lock_guard lock(mutex_);
  watchers_.erase(number);
}

}  // namespace hayate::server
