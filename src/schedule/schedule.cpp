// A scheduler's rows, after what was asked for is checked.
#include "schedule/schedule.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "schedule/scheduler_table.h"

namespace hayate {
namespace {

// A division by zero, such as of epsilon prediction where no signal is left, is found here for all schedulers.
void require_finite(const Schedule& schedule, const SchedulerConfig& config, const char* name) {
  for (const StepRow& row : schedule.rows)
    for (double m : row.matrix)
      require(std::isfinite(m), ErrorKind::unsupported,
              "{}: {} divides by zero at timestep {} of {} steps, with this prediction type and these betas", config.what, name, row.timestep,
              schedule.rows.size());
}

// The first of the steps that are done, of which diffusers counts so.
int first_step(int steps, double strength) {
  require(strength >= 0 && strength <= 1, ErrorKind::usage, "strength is {}; expected 0 to 1", strength);
  const int done = std::min(int(steps * strength), steps);
  require(done > 0, ErrorKind::usage, "strength {} of {} steps leaves no step to do; expected at least {:.3g}", strength, steps, 1.0 / steps);
  return steps - done;
}

std::string names_where(auto has_it) {
  std::vector<std::string> names;
  for (const Scheduler& s : scheduler_table())
    if (has_it(s)) names.emplace_back(s.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

void choose_spacing(SchedulerConfig& config, const Spacing& spacing, const Scheduler& scheduler) {
  require(scheduler.course != Course::distilled, ErrorKind::usage, "the scheduler {} has timesteps of its own: no spacing goes with it",
          scheduler.name);
  require(scheduler.course == Course::sigmas || spacing.sigmas == SigmaSpacing::timesteps, ErrorKind::usage,
          "the scheduler {} does not step over sigmas: the spacing {} does not go with it, but with {}", scheduler.name, spacing.name,
          names_where([](const Scheduler& s) { return s.course == Course::sigmas; }));
  if (spacing.timesteps) config.timestep_spacing = spacing.timesteps;
  config.sigmas = spacing.sigmas;
}

void require_within(const char* name, const std::optional<double>& value, double most) {
  require(!value || (*value >= 0 && *value <= most), ErrorKind::usage, "{} is {}; expected 0 to {}", name, value.value_or(0), most);
}

Sampling sampling_of(const Scheduler& scheduler, int steps, const ScheduleOptions& o) {
  require(scheduler.eta || !o.eta, ErrorKind::usage, "the scheduler {} has no eta; these have: {}", scheduler.name,
          names_where([](const Scheduler& s) { return s.eta.has_value(); }));
  require(scheduler.churns || (!o.s_churn && !o.s_tmin && !o.s_tmax), ErrorKind::usage,
          "the scheduler {} has no s_churn, s_tmin and s_tmax; these have: {}", scheduler.name,
          names_where([](const Scheduler& s) { return s.churns; }));
  require_within("eta", o.eta, 1);
  require_within("s_noise", o.s_noise, 10);
  require_within("s_churn", o.s_churn, 1000);
  require_within("s_tmin", o.s_tmin, 1e6);
  Churn churn{.amount = o.s_churn.value_or(0), .least = o.s_tmin.value_or(0)};
  churn.most = o.s_tmax.value_or(churn.most);
  require(churn.most >= churn.least, ErrorKind::usage, "s_tmax is {}; expected s_tmin, {}, or more", churn.most, churn.least);
  return {.steps = steps,
          .begin = o.strength ? first_step(steps, *o.strength) : o.begin,
          .eta = o.eta.value_or(scheduler.eta.value_or(0)),
          .churn = churn};
}

bool draws(const Schedule& s) { return std::ranges::any_of(s.rows, &StepRow::draws); }

// `whole`: with the steps that are left out, as the last one alone need not draw.
void scale_noise(Schedule& schedule, const Schedule& whole, double factor, const Sampling& s, const char* name) {
  const bool has_noise = s.eta > 0 || s.churn.amount > 0 || s.steps == 1 || draws(whole);
  require(has_noise, ErrorKind::usage, "s_noise is for new noise, which the steps of {} do not have; these have, unless eta is 0: {}", name,
          names_where([](const Scheduler& s) { return s.eta.value_or(0) > 0; }));
  const size_t columns = size_t(3 + schedule.saved);
  for (StepRow& row : schedule.rows)
    for (size_t noise = columns - 1; noise < row.matrix.size(); noise += columns) row.matrix[noise] *= factor;
}

}  // namespace

void Schedule::add(double timestep, const NoiseLevel& level, const Combination& x, const std::vector<Combination>& kept) {
  require(kept.size() <= most_saved && (rows.empty() || int(kept.size()) == saved), ErrorKind::internal, "a row keeps {} values, expected {}",
          kept.size(), saved);
  saved = int(kept.size());
  StepRow row{.timestep = timestep, .input_scale = 1 / std::sqrt(level.alpha * level.alpha + level.sigma * level.sigma), .matrix = {}};
  auto append = [&](const Combination& c) {
    row.matrix.insert(row.matrix.end(), {c.of_x, c.of_prediction});
    row.matrix.insert(row.matrix.end(), c.of_saved.begin(), c.of_saved.begin() + saved);
    row.matrix.push_back(c.of_noise);
    row.draws |= c.of_noise != 0;
  };
  append(x);
  for (const Combination& c : kept) append(c);
  rows.push_back(std::move(row));
  mixtures.push_back({level.alpha, level.sigma});
}

Schedule make_schedule(const SchedulerConfig& config, int steps, const ScheduleOptions& options) {
  require(steps >= 1 && steps <= config.num_train_timesteps, ErrorKind::usage, "{} steps, expected 1 to {} (the model's num_train_timesteps)", steps,
          config.num_train_timesteps);
  const NamedScheduler named = options.name.empty() ? NamedScheduler{&scheduler_of(config), nullptr} : find_scheduler(options.name);
  const Scheduler& scheduler = *named.scheduler;
  const Spacing* spacing = options.spacing ? &spacing_named(*options.spacing) : named.spacing;
  SchedulerConfig chosen = config;
  chosen.is_sdxl = options.is_sdxl;
  if (spacing) choose_spacing(chosen, *spacing, scheduler);
  const Sampling sampling = sampling_of(scheduler, steps, options);
  Schedule schedule = scheduler.make(chosen, sampling);
  schedule.label = scheduler.a1111;
  schedule.prediction = chosen.prediction_type;
  if (scheduler.course == Course::sigmas && !spacing) spacing = spacing_of(chosen.sigmas);
  if (spacing) schedule.spacing = spacing->label;
  require_finite(schedule, config, scheduler.name);
  if (options.s_noise) {
    Sampling all = sampling;
    all.begin = 0;
    scale_noise(schedule, scheduler.make(chosen, all), *options.s_noise, sampling, scheduler.name);
  }
  if (options.strength) schedule.start = schedule.mixtures.front();
  return schedule;
}

int first_step_below(const SchedulerConfig& config, int steps, ScheduleOptions options, double timestep) {
  options.strength.reset(), options.s_noise.reset();
  int first = 0;
  for (int end = steps; first < end;) {  // timesteps fall
    options.begin = (first + end) / 2;
    if (make_schedule(config, steps, options).rows.front().timestep < timestep)
      end = options.begin;
    else
      first = options.begin + 1;
  }
  return first;
}

}  // namespace hayate
