// The Euler scheduler, and that faults in what goes into it do not pass as equal to diffusers.
#include <gtest/gtest.h>

#include <limits>

#include "schedule/golden.h"

namespace hayate::testing {
namespace {

TEST(Euler, RowsAreOneByThree) {
  Schedule schedule = make_schedule(config_of(golden_named("euler", "sdxl")), 30);
  EXPECT_EQ(schedule.saved, 0);
  ASSERT_EQ(schedule.rows.size(), 30u);
  for (const StepRow& row : schedule.rows) {
    ASSERT_EQ(row.matrix.size(), 3u);
    EXPECT_EQ(row.matrix[2], 0);
    EXPECT_FALSE(row.draws);
  }
}

// diffusers makes a 62nd step at timestep -1 here, out of a rounding error; hayate makes the 61 that were asked for.
TEST(Euler, TrailingMakesTheStepsAskedFor) {
  Schedule schedule = make_schedule(config_of(golden_named("euler", "sdxl trailing")), 61);
  EXPECT_EQ(schedule.rows.size(), 61u);
  EXPECT_EQ(schedule.timesteps.front(), 999);
  EXPECT_EQ(schedule.timesteps.back(), 15);
}

bool all_within(const SchedulerConfig& config, const Json& entry, double bound) {
  for (const Json& run : entry["runs"])
    if (!compare(make_schedule(config, run["steps"]), run).within(bound)) return false;
  return true;
}

// Faults that the comparison has to catch.
TEST(Euler, PlantedFaultsAreFound) {
  const struct {
    const char* name;
    const char* golden;
    void (*plant)(SchedulerConfig&);
  } faults[] = {
      {"steps_offset", "sdxl", [](SchedulerConfig& c) { c.steps_offset = 0; }},
      {"spacing", "sdxl", [](SchedulerConfig& c) { c.timestep_spacing = TimestepSpacing::trailing; }},
      {"beta schedule", "sdxl", [](SchedulerConfig& c) { c.beta_schedule = BetaSchedule::linear; }},
      {"beta_end by a hundred-thousandth", "sdxl", [](SchedulerConfig& c) { c.beta_end *= 1 + 1e-5; }},
      {"prediction type", "v", [](SchedulerConfig& c) { c.prediction_type = PredictionType::epsilon; }},
      {"karras", "sdxl karras", [](SchedulerConfig& c) { c.sigmas = SigmaSpacing::timesteps; }},
      {"final sigma", "sigma min", [](SchedulerConfig& c) { c.final_sigmas_type = FinalSigma::zero; }},
      {"zero snr", "v zero snr", [](SchedulerConfig& c) { c.rescale_betas_zero_snr = false; }},
      {"timestep type", "v continuous", [](SchedulerConfig& c) { c.timestep_type = TimestepType::discrete; }},
  };
  for (const auto& fault : faults) {
    Json entry = golden_named("euler", fault.golden);
    SchedulerConfig config = config_of(entry);
    double bound = tolerance_of(config);
    EXPECT_TRUE(all_within(config, entry, bound)) << fault.name;
    fault.plant(config);
    EXPECT_FALSE(all_within(config, entry, bound)) << fault.name;
  }
}

TEST(Euler, WrongNumbersAreFound) {
  Json entry = golden_named("euler", "v");
  Json run = entry["runs"][2];  // 3 steps, with samples
  Schedule good = make_schedule(config_of(entry), run["steps"]);
  ASSERT_TRUE(compare(good, run).within(tolerance_of(config_of(entry))));

  Schedule nan = good, coefficient = good, scale = good, init = good, shorter = good;
  nan.sigmas[1] = std::numeric_limits<double>::quiet_NaN();
  coefficient.rows[1].matrix[0] *= 1 + 1e-5;
  scale.rows[2].input_scale *= 1 + 1e-5;
  init.start.noise *= 1 + 1e-5;
  shorter.timesteps.pop_back();
  for (const Schedule& bad : {nan, coefficient, scale, init, shorter}) EXPECT_FALSE(compare(bad, run).within(tolerance_of(config_of(entry))));
}

}  // namespace
}  // namespace hayate::testing
