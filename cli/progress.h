// How far a generation is, on standard error: a bar on a terminal, plain lines in a pipe, or nothing.
#pragma once
#include <chrono>
#include <string>

namespace hayate::cli {

class ProgressDisplay {
 public:
  explicit ProgressDisplay(bool show);
  ~ProgressDisplay();
  void phase(const std::string& what);  // what goes on outside the steps: on a terminal only
  void step(int step, int steps);
  void message(const std::string& line);  // a line of its own, above the bar

 private:
  using Clock = std::chrono::steady_clock;
  bool show_, terminal_;
  bool bar_drawn_ = false;
  Clock::time_point first_step_, last_line_;
  void draw(const std::string& bar);
  void clear();
};

// "12/30 [=====>       ] 1.53 it/s, 0:12 left", at most `columns` wide. `seconds` have passed since step 1 ended.
std::string progress_bar(int step, int steps, double seconds, int columns);
// "1.53 it/s", or "2.1 s/it" when a step takes longer than a second.
std::string speed(double steps_per_second);

}  // namespace hayate::cli
