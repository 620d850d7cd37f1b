// Every scheduler against diffusers: its tables, each single step, and whole trajectories.
#include <gtest/gtest.h>

#include "schedule/golden.h"

namespace hayate::testing {
namespace {

class Diffusers : public ::testing::TestWithParam<const char*> {};

std::vector<const char*> names() {
  static const std::vector<SchedulerSummary> all = all_schedulers();
  std::vector<const char*> names;
  for (const SchedulerSummary& s : all) names.push_back(s.name.c_str());
  return names;
}
INSTANTIATE_TEST_SUITE_P(Schedulers, Diffusers, ::testing::ValuesIn(names()), [](const auto& info) { return std::string(info.param); });

TEST_P(Diffusers, EqualOverTheGrid) {
  int runs = 0;
  for (const Json& golden : goldens_of(GetParam())) {
    SchedulerConfig config = config_of(golden);
    for (const Json& run : golden["runs"]) {
      Schedule schedule = make_schedule(config, run["steps"]);
      Errors e = compare(schedule, run);
      EXPECT_TRUE(e.within(tolerance_of(config))) << golden["name"] << ", " << run["steps"] << " steps: " << e.text();
      EXPECT_EQ(make_schedule(config, run["steps"], {.name = GetParam()}).label, schedule.label) << "the class and the name are one scheduler";
      ++runs;
    }
  }
  EXPECT_GE(runs, 40);
}

bool all_within(const Json& golden, double bound, const auto& spoil) {
  for (const Json& run : golden["runs"]) {
    Schedule schedule = make_schedule(config_of(golden), run["steps"]);
    spoil(schedule);
    if (!compare(schedule, run).within(bound)) return false;
  }
  return true;
}

// A coefficient off by a ten-thousandth of the step's largest is a fault of the comparison if it is not found.
TEST_P(Diffusers, EveryCoefficientIsChecked) {
  Json golden = goldens_of(GetParam())[0];
  double bound = tolerance_of(config_of(golden));
  ASSERT_TRUE(all_within(golden, bound, [](Schedule&) {}));
  Schedule schedule = make_schedule(config_of(golden), 3);
  const size_t columns = schedule.rows[1].matrix.size() / size_t(1 + schedule.saved);
  for (size_t k = 0; k < schedule.rows[1].matrix.size(); ++k) {
    if (!schedule.uses_noise && k % columns == columns - 1) continue;
    EXPECT_FALSE(all_within(golden, bound, [&](Schedule& s) { s.rows.at(s.rows.size() / 2).matrix.at(k) += 1e-4; })) << "coefficient " << k;
  }
}

}  // namespace
}  // namespace hayate::testing
