// How often each client may ask: a token bucket each. For one thread.
#pragma once
#include <string>
#include <unordered_map>

#include "server/job.h"

namespace hayate::server {

class RateLimit {
 public:
  // `rate` requests a second, and two seconds' worth at once; 0: any number.
  explicit RateLimit(double rate) : rate_(rate) {}

  // Throws HttpError 429 with Retry-After for a client that asks more often.
  void take(const std::string& client, Clock::time_point now = Clock::now());
  // Forgets clients whose buckets are full again, so that memory holds the last seconds' only.
  void forget_quiet(Clock::time_point now = Clock::now());
  size_t clients() const { return buckets_.size(); }

 private:
  struct Bucket {
    double tokens = 0;
    Clock::time_point at{};  // when it held them
  };
  double most() const { return std::max(1.0, 2 * rate_); }
  double tokens(const Bucket&, Clock::time_point now) const;

  const double rate_;
  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace hayate::server
