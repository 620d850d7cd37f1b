// One request for pictures from when it is accepted until it is forgotten. Safe for use by many threads.
#pragma once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <compare>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "hayate/hayate.h"
#include "server/http.h"

namespace hayate::server {

using Clock = std::chrono::steady_clock;

// Which pipeline draws: jobs with equal keys share one.
struct PipelineKey {
  std::string model{}, rung{};  // names in the catalog and of the ladder
  auto operator<=>(const PipelineKey&) const = default;
};

// A pipeline with LoRAs on it: what it costs time to change between jobs.
struct Setup {
  PipelineKey pipeline{};
  std::vector<Lora> loras{};
  bool operator==(const Setup&) const = default;
};

// What is to be drawn, checked.
struct JobSpec {
  Setup setup{};
  Request request{};
  int width = 0, height = 0;       // of the pictures
  std::string extension = ".png";  // of the format of the pictures
  int quality = 90;
  std::string client{}, api{};  // who asked, through which API: "jobs", "openai", "a1111", "inference"
  double deadline = 0;          // seconds from submission, after which it is given up; 0: none
};

struct Drawn {
  std::string file{}, type{};  // the encoded picture and its media type
  std::string infotext{};
  uint64_t seed = 0;
};

enum class JobState { queued, drawing, done, failed, cancelled };
const char* name_of(JobState);
inline bool has_ended(JobState s) { return s >= JobState::done; }

struct Preview {
  std::string file{};  // JPEG, as small as the latent
  int step = 0;
};

struct JobStatus {
  JobState state = JobState::queued;
  int position = 0;                                   // in the queue: 1 is next; 0 once drawing
  int step = 0, steps = 0;                            // of the pictures that are being drawn
  double progress = 0;                                // 0..1, of all pictures
  std::optional<double> seconds_left{};               // estimated, queue included
  std::vector<std::shared_ptr<const Drawn>> drawn{};  // per picture, null where it is not there yet
  std::vector<std::shared_ptr<const Preview>> previews{};
  std::optional<HttpError> error{};  // of a job that failed or was cancelled
  std::string rung{};                // that it is drawn on
  double seconds_queued = 0, seconds_drawing = 0;
  size_t finished() const {
    return size_t(std::count_if(drawn.begin(), drawn.end(), [](const auto& d) { return d != nullptr; }));
  }
};

class Job {
 public:
  // `on_end` is called once, when the job has ended, from any thread.
  explicit Job(JobSpec, std::function<void(const Job&)> on_end = {});

  const std::string& id() const { return id_; }  // 128 random bits
  const JobSpec& spec() const { return spec_; }
  size_t pictures() const { return spec_.request.pictures.size(); }
  JobStatus status() const;
  bool ended() const { return has_ended(state_); }
  Clock::time_point deadline() const { return deadline_; }
  std::optional<Clock::time_point> ended_at() const;

  void want_previews() { previews_wanted_ = true; }
  bool previews_wanted() const { return previews_wanted_; }

  // Each does nothing once the job has ended.
  void place(int position, std::optional<double> seconds_left);
  void start(const std::string& rung);
  // `drawing` of its pictures are at this step.
  void advance(size_t drawing, int step, int steps, std::optional<double> seconds_left);
  void show(size_t picture, Preview);
  void add(size_t picture, Drawn);  // the last one ends it
  void fail(HttpError);
  void cancel(const std::string& why);

  // `changed` is called after each change, from any thread, and must not call back. Returns a number for unwatch().
  int watch(std::function<void()> changed);
  void unwatch(int);

 private:
  template <class Change>
  void change(Change&&);
  void end(JobState, std::optional<HttpError>);

  const std::string id_;
  const JobSpec spec_;
  const std::function<void(const Job&)> on_end_;
  const Clock::time_point submitted_ = Clock::now(), deadline_;
  std::atomic<bool> previews_wanted_ = false;
  std::atomic<JobState> state_ = JobState::queued;
  mutable std::mutex mutex_;
  JobStatus status_;
  Clock::time_point started_{}, ended_{};
  std::map<int, std::function<void()>> watchers_;
  int next_watcher_ = 0;
};

using JobPtr = std::shared_ptr<Job>;

}  // namespace hayate::server
