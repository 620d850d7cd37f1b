// Drawing of the progress bar.
#include "progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "output.h"

namespace hayate::cli {

namespace {

bool is_terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) && term && std::string(term) != "dumb";
}

int terminal_columns() {
  winsize size = {};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

double seconds_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

// Rate and time left; step 1 includes what is done once, so there is nothing to tell before step 2.
std::string pace(int step, int steps, double seconds) {
  if (step < 2 || seconds <= 0) return "";
  double rate = (step - 1) / seconds;
  int left = int(std::lround((steps - step) / rate));
  return fmt::format(" {}, {}:{:02} left", speed(rate), left / 60, left % 60);
}

}  // namespace

std::string speed(double steps_per_second) {
  return steps_per_second >= 1 ? fmt::format("{:.2f} it/s", steps_per_second) : fmt::format("{:.2f} s/it", 1 / steps_per_second);
}

std::string progress_bar(int step, int steps, double seconds, int columns) {
  std::string count = fmt::format("{:>{}}/{} ", step, fmt::formatted_size("{}", steps), steps), tail = pace(step, steps, seconds);
  int room = std::min(columns - int(count.size() + tail.size()) - 3, 40);
  if (room < 5) return (count + tail).substr(0, size_t(std::max(columns - 1, 0)));
  int done = room * step / steps;
  std::string bar = std::string(size_t(done), '=') + (done < room ? ">" : "");
  return fmt::format("{}[{:<{}}]{}", count, bar, room, tail);
}

ProgressDisplay::ProgressDisplay(bool show) : show_(show), terminal_(is_terminal()) {}
ProgressDisplay::~ProgressDisplay() { clear(); }

void ProgressDisplay::phase(const std::string& what) {
  if (show_ && terminal_) draw(what);
}

void ProgressDisplay::step(int step, int steps) {
  if (!show_) return;
  auto now = Clock::now();
  if (step == 1) first_step_ = now;
  double seconds = seconds_between(first_step_, now);
  if (terminal_) return draw(progress_bar(step, steps, seconds, terminal_columns()));
  bool due = step == 1 || step == steps || seconds_between(last_line_, now) >= 1;
  if (!due) return;
  print_note(fmt::format("step {}/{}{}\n", step, steps, pace(step, steps, seconds)));
  last_line_ = now;
}

void ProgressDisplay::message(const std::string& line) {
  if (!show_) return;
  clear();
  print_note(line + "\n");
}

void ProgressDisplay::draw(const std::string& bar) {
  print_note("\r\x1b[K" + bar);
  bar_drawn_ = true;
}

void ProgressDisplay::clear() {
  if (!bar_drawn_) return;
  draw("");
  bar_drawn_ = false;
}

}  // namespace hayate::cli
