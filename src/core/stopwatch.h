// Wall-clock seconds.
#pragma once
#include <chrono>
#include <utility>

namespace hayate {

class Stopwatch {
 public:
  // Seconds since construction or the last lap.
  double lap() {
    Clock::time_point before = std::exchange(last_, Clock::now());
    return std::chrono::duration<double>(last_ - before).count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_ = Clock::now();
};

}  // namespace hayate
