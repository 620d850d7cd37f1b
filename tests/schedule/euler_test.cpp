// The Euler scheduler against diffusers' EulerDiscreteScheduler (tools/dump_schedules.py).
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/file_reader.h"
#include "core/json.h"
#include "schedule/schedule.h"

namespace hayate {
namespace {

constexpr double tolerance = 1e-6;  // relative

// diffusers' tables depend on the processor: MKL's float32 square root, which torch uses, is not always rounded correctly. The
// zero-SNR rescale takes roots first and cancels afterwards. With exact roots in diffusers all agree to the digits stored.
constexpr double tolerance_zero_snr = 1e-5;

Json golden() {
  std::string path = HAYATE_SOURCE_DIR "/tests/data/schedule/euler.json";
  return parse_json(read_text_file(path, 1 << 20), path);
}

Json golden_named(const std::string& name) {
  for (Json& entry : golden())
    if (entry["name"] == name) return entry;
  throw std::runtime_error("no golden named " + name);
}

SchedulerConfig config_of(const Json& entry) { return parse_scheduler_config(JsonObject(entry["config"], "scheduler_config.json")); }

// Relative to `scale`, or to the expected value itself; infinite for NaN.
double error_of(double found, double expected, double scale = 0) {
  if (found == expected) return 0;
  double error = std::abs(found - expected) / std::max(std::abs(expected), scale);
  return std::isnan(error) ? INFINITY : error;
}

double error_of(const std::vector<double>& found, const std::vector<double>& expected) {
  if (found.size() != expected.size()) return INFINITY;
  double worst = 0;
  for (size_t i = 0; i < found.size(); ++i) worst = std::max(worst, error_of(found[i], expected[i]));
  return worst;
}

// Applies each row to the samples that diffusers had before that step, so that errors do not add up.
double error_of_steps(const Schedule& schedule, const Json& samples) {
  double worst = 0;
  for (size_t i = 0; i + 1 < samples.size(); ++i) {
    const StepRow& row = schedule.rows.at(i);
    for (size_t lane = 0; lane < samples[i].size(); ++lane) {
      double x = samples[i][lane], prediction = float(std::sin(1.7 * double(i) + double(lane)));
      double found = row.matrix[0] * x + row.matrix[1] * prediction;
      double scale = std::abs(x) + std::abs(row.matrix[1] * prediction);  // what float32 rounds
      worst = std::max(worst, error_of(found, samples[i + 1][lane], scale));
    }
  }
  return worst;
}

struct Errors {
  double timesteps, sigmas, init, scales = 0, steps = 0;
  bool within(double bound) const {
    for (double e : {timesteps, sigmas, init, scales, steps})
      if (!(e <= bound)) return false;
    return true;
  }
};

Errors compare(const Schedule& schedule, const Json& run) {
  Errors e{error_of(schedule.timesteps, run["timesteps"]), error_of(schedule.sigmas, run["sigmas"]),
           error_of(schedule.init_noise_sigma, run["init_noise_sigma"])};
  if (run.contains("samples")) {
    std::vector<double> scales;
    for (const StepRow& row : schedule.rows) scales.push_back(row.input_scale);
    e.scales = error_of(scales, run["input_scales"]);
    e.steps = error_of_steps(schedule, run["samples"]);
  }
  return e;
}

double tolerance_of(const SchedulerConfig& config) { return config.rescale_betas_zero_snr ? tolerance_zero_snr : tolerance; }

TEST(Euler, EqualsDiffusersOverTheGrid) {
  int runs = 0;
  for (const Json& entry : golden()) {
    SchedulerConfig config = config_of(entry);
    for (const Json& run : entry["runs"]) {
      Errors e = compare(make_schedule(config, run["steps"]), run);
      EXPECT_TRUE(e.within(tolerance_of(config))) << entry["name"] << ", " << run["steps"] << " steps: timesteps " << e.timesteps << ", sigmas "
                                                  << e.sigmas << ", init " << e.init << ", scales " << e.scales << ", steps " << e.steps;
      ++runs;
    }
  }
  EXPECT_GT(runs, 350);
}

TEST(Euler, RowsAreOneByThree) {
  Schedule schedule = make_schedule(config_of(golden_named("sdxl")), 30);
  EXPECT_EQ(schedule.saved, 0);
  EXPECT_FALSE(schedule.uses_noise);
  ASSERT_EQ(schedule.rows.size(), 30u);
  for (const StepRow& row : schedule.rows) {
    ASSERT_EQ(row.matrix.size(), 3u);
    EXPECT_EQ(row.matrix[2], 0);
  }
}

// diffusers makes a 62nd step at timestep -1 here, out of a rounding error; hayate makes the 61 that were asked for.
TEST(Euler, TrailingMakesTheStepsAskedFor) {
  Schedule schedule = make_schedule(config_of(golden_named("sdxl trailing")), 61);
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
      {"karras", "sdxl karras", [](SchedulerConfig& c) { c.use_karras_sigmas = false; }},
      {"final sigma", "sigma min", [](SchedulerConfig& c) { c.final_sigmas_type = FinalSigma::zero; }},
      {"zero snr", "v zero snr", [](SchedulerConfig& c) { c.rescale_betas_zero_snr = false; }},
      {"timestep type", "v continuous", [](SchedulerConfig& c) { c.timestep_type = TimestepType::discrete; }},
  };
  for (const auto& fault : faults) {
    Json entry = golden_named(fault.golden);
    SchedulerConfig config = config_of(entry);
    double bound = tolerance_of(config);
    EXPECT_TRUE(all_within(config, entry, bound)) << fault.name;
    fault.plant(config);
    EXPECT_FALSE(all_within(config, entry, bound)) << fault.name;
  }
}

TEST(Euler, WrongNumbersAreFound) {
  Json entry = golden_named("v");
  Json run = entry["runs"][2];  // 3 steps, with samples
  Schedule good = make_schedule(config_of(entry), run["steps"]);
  ASSERT_TRUE(compare(good, run).within(tolerance));

  Schedule nan = good, coefficient = good, scale = good, init = good, shorter = good;
  nan.sigmas[1] = std::numeric_limits<double>::quiet_NaN();
  coefficient.rows[1].matrix[0] *= 1 + 1e-5;
  scale.rows[2].input_scale *= 1 + 1e-5;
  init.init_noise_sigma *= 1 + 1e-5;
  shorter.timesteps.pop_back();
  for (const Schedule& bad : {nan, coefficient, scale, init, shorter}) EXPECT_FALSE(compare(bad, run).within(tolerance));
}

}  // namespace
}  // namespace hayate
