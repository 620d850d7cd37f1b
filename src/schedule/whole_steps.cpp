// The non-uniform schedule spaces points evenly between the roots of both ends, of which the left one is complex as the center lies to its right,
// takes powers, and what is real of them, as numpy does.
#include "schedule/whole_steps.h"

#include <algorithm>
#include <complex>
#include <set>

#include "core/error.h"

namespace hayate {
namespace {

using Complex = std::complex<double>;

Complex root(int of, double power) { return std::pow(Complex(of), 1 / power); }

std::vector<int> around(int center, int steps, int count, double power) {
  const Complex begin = root(-center, power), end = root(steps - center, power);
  std::set<int> points;
  for (int i = 0; i <= count; ++i) points.insert(int(std::pow(i == count ? end : begin + double(i) * ((end - begin) / double(count)), power).real()));
  std::vector<int> whole = {0};
  if (points.size() > 2)
    for (auto it = std::next(points.begin()); it != std::prev(points.end()); ++it) whole.push_back(*it + center);
  return whole;
}

}  // namespace

std::vector<int> whole_steps(int steps, int interval, std::optional<int> center, float power) {
  std::vector<int> whole;
  for (int i = 0; i < steps; i += interval) whole.push_back(i);
  if (!center || interval == 1) return whole;
  const int count = (steps + interval - 1) / interval;
  for (double p = power; p > 1; p -= 0.02)
    if (std::vector<int> found = around(*center, steps, count, p); int(found.size()) == count && std::ranges::is_sorted(found)) return found;
  fail(ErrorKind::usage, "DeepCache finds no {} whole steps around step {} of {}; another center, interval or power may do", count, *center, steps);
}

}  // namespace hayate
