// Compares tables, and applies rows to the samples, predictions and noise of tools/dump_schedules.py.
#include "schedule/golden.h"

#include <cmath>

#include "core/file_reader.h"

namespace hayate::testing {
namespace {

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

struct Advanced {
  std::vector<double> state;  // x, saved...
  double scale;               // of what float32 rounds on the way to x
};

Advanced advance(const Schedule& schedule, const StepRow& row, size_t step, size_t lane, const std::vector<double>& state) {
  std::vector<double> operands = {state[0], float(std::sin(1.7 * double(step) + double(lane)))};
  operands.insert(operands.end(), state.begin() + 1, state.end());
  operands.push_back(float(std::cos(2.3 * double(step) + double(lane))));
  const size_t parts = size_t(1 + schedule.saved);
  Advanced next{std::vector<double>(parts, 0.0), std::abs(state[0])};
  for (size_t part = 0; part < parts; ++part)
    for (size_t k = 0; k < operands.size(); ++k) next.state[part] += row.matrix.at(part * operands.size() + k) * operands[k];
  for (size_t k = 1; k < operands.size(); ++k) next.scale += std::abs(row.matrix[k] * operands[k]);
  return next;
}

void compare_samples(const Schedule& schedule, const Json& samples, Errors& errors) {
  for (size_t lane = 0; lane < samples[0].size(); ++lane) {
    std::vector<double> given(size_t(1 + schedule.saved), 0.0), own = given;
    own[0] = samples[0][lane];
    double scale = std::abs(own[0]);
    for (size_t i = 0; i + 1 < samples.size(); ++i) {
      const double expected = samples[i + 1][lane];
      given[0] = samples[i][lane];
      Advanced next = advance(schedule, schedule.rows.at(i), i, lane, given);
      errors.steps = std::max(errors.steps, error_of(next.state[0], expected, next.scale));
      given = next.state;
      own = advance(schedule, schedule.rows[i], i, lane, own).state;
      scale = std::max(scale, std::abs(expected));
    }
    errors.trajectory = std::max(errors.trajectory, error_of(own[0], samples.back()[lane], scale));
  }
}

}  // namespace

Json goldens_of(const std::string& scheduler) {
  std::string path = HAYATE_SOURCE_DIR "/tests/data/schedule/" + scheduler + ".json";
  return parse_json(read_text_file(path, 1 << 20), path);
}

Json golden_named(const std::string& scheduler, const std::string& name) {
  for (Json& golden : goldens_of(scheduler))
    if (golden["name"] == name) return golden;
  throw std::runtime_error("no golden named " + name);
}

SchedulerConfig config_of(const Json& golden) { return parse_scheduler_config(JsonObject(golden["config"], "scheduler_config.json")); }

ScheduleOptions options_of(const Json& golden) {
  ScheduleOptions options;
  const Json given = golden.value("options", Json::object());
  for (const auto& [key, value] : given.items()) {
    if (key == "spacing") options.spacing = value.get<std::string>();
    if (key == "is_sdxl") options.is_sdxl = value.get<bool>();
    if (key == "eta") options.eta = value.get<double>();
    if (key == "s_noise") options.s_noise = value.get<double>();
    if (key == "s_churn") options.s_churn = value.get<double>();
    if (key == "s_tmin") options.s_tmin = value.get<double>();
    if (key == "s_tmax") options.s_tmax = value.get<double>();
  }
  return options;
}

bool Errors::within(double bound) const {
  for (double e : {timesteps, sigmas, init, scales, steps})
    if (!(e <= bound)) return false;
  return trajectory <= 10 * bound;  // rounding adds up
}

std::string Errors::text() const {
  return fmt::format("timesteps {:.1e}, sigmas {:.1e}, init {:.1e}, scales {:.1e}, steps {:.1e}, trajectory {:.1e}", timesteps, sigmas, init, scales,
                     steps, trajectory);
}

Errors compare(const Schedule& schedule, const Json& run) {
  Errors e{.timesteps = error_of(schedule.timesteps, run["timesteps"]),
           .sigmas = error_of(schedule.sigmas, run["sigmas"]),
           .init = error_of(schedule.start.noise, run["init_noise_sigma"])};
  if (run.contains("samples")) {
    std::vector<double> scales;
    for (const StepRow& row : schedule.rows) scales.push_back(row.input_scale);
    e.scales = error_of(scales, run["input_scales"]);
    compare_samples(schedule, run["samples"], e);
  }
  return e;
}

// diffusers' tables depend on the processor: MKL's float32 square root, which torch uses, is not always rounded correctly. The
// zero-SNR rescale takes roots first and cancels afterwards. With exact roots in diffusers all agree to the digits stored. Multistep
// methods multiply the last bit of a sigma where levels lie close together.
double tolerance_of(const SchedulerConfig& config) { return config.rescale_betas_zero_snr ? 1e-5 : 2e-6; }

}  // namespace hayate::testing
