// Buckets fill while nobody looks.
#include "server/rate_limit.h"

#include <cmath>

#include "core/error.h"

namespace hayate::server {

double RateLimit::tokens(const Bucket& b, Clock::time_point now) const {
  return std::min(most(), b.tokens + rate_ * std::chrono::duration<double>(now - b.at).count());
}

void RateLimit::take(const std::string& client, Clock::time_point now) {
  if (rate_ == 0) return;
  Bucket& bucket = buckets_.try_emplace(client, Bucket{most(), now}).first->second;
  bucket = {tokens(bucket, now), now};
  if (bucket.tokens < 1) {
    const int seconds = int(std::clamp(std::ceil((1 - bucket.tokens) / rate_), 1.0, 3600.0));
    throw HttpError{429,
                    fmt::format("more than {:g} requests a second; try again in {} s", rate_, seconds),
                    "rate_limit",
                    {{"Retry-After", std::to_string(seconds)}}};
  }
  bucket.tokens -= 1;
}

void RateLimit::forget_quiet(Clock::time_point now) {
  std::erase_if(buckets_, [&](const auto& client) { return tokens(client.second, now) >= most(); });
}

}  // namespace hayate::server
