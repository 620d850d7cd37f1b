// Every scheduler against diffusers: its tables, each single step, and whole trajectories.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "schedule/golden.h"
#include "schedule/scheduler_table.h"

namespace hayate::testing {
namespace {

class Diffusers : public ::testing::TestWithParam<const char*> {};

std::vector<const char*> names() {
  std::vector<const char*> names;
  for (const Scheduler& s : scheduler_table()) names.push_back(s.name);
  return names;
}
INSTANTIATE_TEST_SUITE_P(Schedulers, Diffusers, ::testing::ValuesIn(names()), [](const auto& info) { return std::string(info.param); });

TEST_P(Diffusers, EqualOverTheGrid) {
  int runs = 0;
  for (const Json& golden : goldens_of(GetParam())) {
    const SchedulerConfig config = config_of(golden);
    ScheduleOptions options = options_of(golden);
    for (const Json& run : golden["runs"]) {
      const Schedule schedule = make_schedule(config, run["steps"], options);
      Errors e = compare(schedule, run);
      EXPECT_TRUE(e.within(tolerance_of(config))) << golden["name"] << ", " << run["steps"] << " steps: " << e.text();
      options.name = GetParam();
      EXPECT_EQ(make_schedule(config, run["steps"], options).label, schedule.label) << "the class and the name are one scheduler";
      options.name.clear();
      ++runs;
    }
  }
  EXPECT_GE(runs, 40);
}

bool all_within(const Json& golden, double bound, const auto& spoil) {
  for (const Json& run : golden["runs"]) {
    Schedule schedule = make_schedule(config_of(golden), run["steps"], options_of(golden));
    spoil(schedule);
    if (!compare(schedule, run).within(bound)) return false;
  }
  return true;
}

// The coefficients of the row in the middle that say something: noise only where it is drawn, of what is kept only what the next row reads, and of
// what was kept only what is not zero.
std::set<size_t> live_coefficients(const Schedule& s) {
  const size_t parts = size_t(1 + s.saved), columns = parts + 2, middle = s.rows.size() / 2;
  const std::vector<double>& next = s.rows.at(std::min(middle + 1, s.rows.size() - 1)).matrix;
  auto is_kept = [&](size_t value) {  // by the row before, and not as zero
    if (middle == 0) return false;
    const auto row = s.rows[middle - 1].matrix.begin() + long(value * columns);
    return std::any_of(row, row + long(columns), [](double m) { return m != 0; });
  };
  std::set<size_t> live;
  for (size_t part = 0; part < parts; ++part) {
    bool read = part == 0;
    for (size_t row = 0; row < parts && middle + 1 < s.rows.size(); ++row) read |= part > 0 && next[row * columns + 1 + part] != 0;
    for (size_t k = 0; k < columns && read; ++k)
      if (k + 1 == columns ? s.rows[middle].draws : k < 2 || is_kept(k - 1)) live.insert(part * columns + k);
  }
  return live;
}

// A coefficient off by a ten-thousandth of the step's largest is a fault of the comparison if it is not found; by a hundredth, where it tells of
// what a later step makes little of.
TEST_P(Diffusers, EveryCoefficientIsChecked) {
  const Json golden = goldens_of(GetParam())[0];
  const double bound = tolerance_of(config_of(golden));
  ASSERT_TRUE(all_within(golden, bound, [](Schedule&) {}));
  std::set<size_t> live;
  for (const Json& run : golden["runs"])
    if (run.contains("samples")) live.merge(live_coefficients(make_schedule(config_of(golden), run["steps"], options_of(golden))));
  EXPECT_GE(live.size(), 2u);
  for (size_t k : live) {
    auto spoil = [&](Schedule& s) { s.rows.at(s.rows.size() / 2).matrix.at(k) += k < size_t(3 + s.saved) ? 1e-4 : 1e-2; };
    EXPECT_FALSE(all_within(golden, bound, spoil)) << "coefficient " << k;
  }
}

}  // namespace
}  // namespace hayate::testing
