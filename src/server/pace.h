// How fast pictures are drawn here, learnt from those that were. Safe for use by many threads.
#pragma once
#include <map>
#include <mutex>
#include <optional>

#include "server/job.h"

namespace hayate::server {

class Pace {
 public:
  void learn(const PipelineKey&, double work, double seconds);
  // Of that much work; nothing while nothing was drawn yet.
  std::optional<double> seconds(const PipelineKey&, double work) const;
  // What drawing `pictures` pictures of the request takes, in pixels times steps times halves (guidance).
  static double work(const Request&, size_t pictures);

 private:
  mutable std::mutex mutex_;
  std::map<PipelineKey, double> seconds_per_work_;
  double last_ = 0;  // of whichever pipeline, for one that is new
};

}  // namespace hayate::server
