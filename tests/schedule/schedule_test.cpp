// The table of schedulers, what a request may override, and configs that must be refused.
#include "schedule/schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/expect_error.h"

namespace hayate {
namespace {

SchedulerConfig parse(const Json& changes = Json::object()) {
  Json json = {{"_class_name", "EulerDiscreteScheduler"},
               {"beta_schedule", "scaled_linear"},
               {"beta_start", 0.00085},
               {"beta_end", 0.012},
               {"timestep_spacing", "leading"},
               {"steps_offset", 1}};
  json.update(changes);
  return parse_scheduler_config(JsonObject(json, "m/scheduler_config.json"));
}

TEST(SchedulerConfig, DefaultsAreThoseOfDiffusers) {
  SchedulerConfig config = parse_scheduler_config(JsonObject(Json{{"_class_name", "EulerDiscreteScheduler"}}, "c"));
  EXPECT_EQ(config.num_train_timesteps, 1000);
  EXPECT_EQ(config.beta_start, 0.0001);
  EXPECT_EQ(config.beta_end, 0.02);
  EXPECT_EQ(config.steps_offset, 0);
  EXPECT_FALSE(config.timestep_spacing.has_value());
  EXPECT_EQ(config.sigmas, SigmaSpacing::timesteps);
}

TEST(SchedulerConfig, NullsAndForeignKeysAreIgnored) {
  SchedulerConfig config = parse({{"trained_betas", nullptr}, {"sigma_min", nullptr}, {"clip_sample", true}, {"skip_prk_steps", true}});
  EXPECT_TRUE(config.trained_betas.empty());
  EXPECT_FALSE(config.sigma_min.has_value());
}

TEST(SchedulerConfig, ErrorsNameFileKeyFoundAndExpected) {
  auto refused = [](ErrorKind kind, const Json& changes, std::initializer_list<const char*> mentions) {
    expect_error(kind, mentions, [&] { parse(changes); });
  };
  refused(ErrorKind::unsupported, {{"beta_schedule", "sigmoid"}}, {"m/scheduler_config.json", "\"beta_schedule\"", "sigmoid", "squaredcos_cap_v2"});
  refused(ErrorKind::unsupported, {{"prediction_type", "flow"}}, {"\"prediction_type\"", "flow", "v_prediction"});
  refused(ErrorKind::unsupported, {{"timestep_spacing", "middle"}}, {"\"timestep_spacing\"", "middle", "trailing"});
  refused(ErrorKind::unsupported, {{"timestep_type", "x"}}, {"\"timestep_type\"", "continuous"});
  refused(ErrorKind::unsupported, {{"interpolation_type", "x"}}, {"\"interpolation_type\"", "log_linear"});
  refused(ErrorKind::unsupported, {{"final_sigmas_type", "x"}}, {"\"final_sigmas_type\"", "sigma_min"});
  refused(ErrorKind::unsupported, {{"use_lu_lambdas", true}}, {"\"use_lu_lambdas\""});
  refused(ErrorKind::bad_model, {{"use_beta_sigmas", true}, {"use_karras_sigmas", true}}, {"\"use_beta_sigmas\"", "another"});
  refused(ErrorKind::bad_model, {{"_class_name", nullptr}}, {"\"_class_name\""});
  refused(ErrorKind::bad_model, {{"num_train_timesteps", 0}}, {"\"num_train_timesteps\"", "0"});
  refused(ErrorKind::bad_model, {{"num_train_timesteps", 1e9}}, {"\"num_train_timesteps\""});
  refused(ErrorKind::bad_model, {{"beta_start", "small"}}, {"\"beta_start\"", "small"});
  refused(ErrorKind::bad_model, {{"beta_end", 1.5}}, {"\"beta_end\"", "1.5"});
  refused(ErrorKind::bad_model, {{"steps_offset", -1}}, {"\"steps_offset\"", "-1"});
  refused(ErrorKind::bad_model, {{"original_inference_steps", 0}}, {"\"original_inference_steps\"", "0"});
  refused(ErrorKind::bad_model, {{"original_inference_steps", 1001}}, {"\"original_inference_steps\"", "1001"});
  refused(ErrorKind::bad_model, {{"timestep_scaling", -1}}, {"\"timestep_scaling\"", "-1"});
  refused(ErrorKind::bad_model, {{"use_karras_sigmas", "yes"}}, {"\"use_karras_sigmas\"", "yes"});
  refused(ErrorKind::bad_model, {{"trained_betas", {0.1, 0.2}}}, {"\"trained_betas\"", "1000"});
  refused(ErrorKind::bad_model, {{"num_train_timesteps", 2}, {"trained_betas", {0.1, 1.0}}}, {"\"trained_betas\"", "1.0", "at 1"});
}

TEST(Schedule, BetasThatLeaveNothingAreRefused) {
  SchedulerConfig config = parse({{"beta_start", 0.9}, {"beta_end", 0.99}, {"beta_schedule", "linear"}});
  expect_error(ErrorKind::bad_model, {"m/scheduler_config.json", "alphas_cumprod"}, [&] { make_schedule(config, 10); });
}

TEST(Schedule, ImpossibleStepCountsAreUsageErrors) {
  for (int steps : {0, -1, 1001}) {
    std::string count = std::to_string(steps) + " steps";
    expect_error(ErrorKind::usage, {count.c_str(), "1 to 1000"}, [&] { make_schedule(parse(), steps); });
  }
  EXPECT_EQ(make_schedule(parse(), 1000).rows.size(), 1000u);
}

TEST(Schedule, IsChosenByClassOrByName) {
  SchedulerConfig other = parse({{"_class_name", "IPNDMScheduler"}});
  expect_error(ErrorKind::unsupported, {"m/scheduler_config.json", "IPNDMScheduler", "euler"}, [&] { make_schedule(other, 10); });
  EXPECT_EQ(make_schedule(other, 10, {.name = "euler"}).rows.size(), 10u);
  expect_error(ErrorKind::usage, {"ipndm", "euler"}, [&] { make_schedule(other, 10, {.name = "ipndm"}); });
  EXPECT_EQ(make_schedule(parse({{"_class_name", "EulerAncestralDiscreteScheduler"}}), 10).label, "Euler a");
}

TEST(Schedule, OptionsThatMeanNothingAreRefused) {
  expect_error(ErrorKind::usage, {"ddim", "karras", "but with euler, "}, [&] { make_schedule(parse(), 10, {.name = "ddim", .spacing = "karras"}); });
  expect_error(ErrorKind::usage, {"euler has no eta", "euler_ancestral, ddim"}, [&] { make_schedule(parse(), 10, {.eta = 0.5}); });
  expect_error(ErrorKind::usage, {"ddim has no s_churn", "these have: euler"}, [&] { make_schedule(parse(), 10, {.name = "ddim", .s_tmax = 1}); });
  expect_error(ErrorKind::usage, {"s_noise", "the steps of ddim", "euler_ancestral"},
               [&] { make_schedule(parse(), 10, {.name = "ddim", .s_noise = 1}); });
  EXPECT_EQ(make_schedule(parse(), 4, {.name = "lcm", .s_noise = 0.5, .begin = 3}).rows.size(), 1u) << "the last step, which alone has no noise";
  for (const char* name : {"lcm", "tcd"}) {
    expect_error(ErrorKind::usage, {name, "spacing"}, [&] { make_schedule(parse(), 4, {.name = name, .spacing = "trailing"}); });
    expect_error(ErrorKind::usage, {"51 steps", "1 to 50", "\"original_inference_steps\""}, [&] { make_schedule(parse(), 51, {.name = name}); });
  }
  SchedulerConfig karras = parse({{"use_karras_sigmas", true}});
  EXPECT_EQ(make_schedule(karras, 10, {.name = "ddim"}).spacing, "");  // diffusers ignores the model's own wish too
  EXPECT_EQ(make_schedule(karras, 10).spacing, "Karras");
}

TEST(Schedule, ClippingIsRefused) {
  auto refused = [](const Json& changes, const char* key) {
    SchedulerConfig config = parse(changes);
    expect_error(ErrorKind::unsupported, {"m/scheduler_config.json", key}, [&] { make_schedule(config, 10, {.name = "ddim"}); });
  };
  refused({{"clip_sample", true}}, "\"clip_sample\"");
  refused({{"thresholding", true}}, "\"thresholding\"");
  refused({{"_class_name", "DDIMScheduler"}}, "\"clip_sample\"");  // that class clips if it is not told
  EXPECT_EQ(make_schedule(parse(), 10, {.name = "ddim"}).rows.size(), 10u);
}

TEST(Schedule, SolversThatAreNotThereAreRefused) {
  const Json dpm = {{"_class_name", "DPMSolverMultistepScheduler"}};
  auto refused = [&](Json changes, const char* key) {
    changes.update(dpm);
    expect_error(ErrorKind::unsupported, {"m/scheduler_config.json", key}, [&] { make_schedule(parse(changes), 10); });
  };
  refused({{"algorithm_type", "dpmsolver"}}, "\"algorithm_type\"");
  refused({{"solver_order", 1}}, "DPMSolverMultistepScheduler of order 1");
  refused({{"solver_type", "bh1"}}, "\"bh1\"");
  refused({{"lambda_min_clipped", -5.1}}, "\"lambda_min_clipped\"");
  refused({{"use_lu_lambdas", true}}, "\"use_lu_lambdas\"");
  EXPECT_EQ(make_schedule(parse(dpm), 10).label, "DPM++ 2M");
}

TEST(Schedule, DivisionByZeroIsRefused) {
  SchedulerConfig config = parse({{"rescale_betas_zero_snr", true}, {"timestep_spacing", "trailing"}});
  expect_error(ErrorKind::unsupported, {"m/scheduler_config.json", "ddim", "timestep 999"}, [&] { make_schedule(config, 4, {.name = "ddim"}); });
}

TEST(Schedule, StepsBeyondTheTrainedAreRefused) {
  expect_error(ErrorKind::usage, {"1000 steps", "timestep 1000", "\"steps_offset\" is 1"}, [&] { make_schedule(parse(), 1000, {.name = "ddim"}); });
}

TEST(Schedule, RequestsOverrideTheSpacing) {
  Schedule plain = make_schedule(parse(), 10);
  Schedule trailing = make_schedule(parse(), 10, {.spacing = "trailing"});
  EXPECT_EQ(trailing.timesteps, make_schedule(parse({{"timestep_spacing", "trailing"}}), 10).timesteps);
  EXPECT_NE(trailing.timesteps, plain.timesteps);
  Schedule karras = make_schedule(parse(), 10, {.spacing = "karras"});
  EXPECT_EQ(karras.sigmas, make_schedule(parse({{"use_karras_sigmas", true}}), 10).sigmas);
  EXPECT_EQ(make_schedule(parse({{"use_karras_sigmas", true}}), 10, {.spacing = "leading"}).sigmas, plain.sigmas);
  EXPECT_EQ(make_schedule(parse(), 10, {.name = "Euler Karras"}).sigmas, karras.sigmas);
  EXPECT_EQ(make_schedule(parse(), 10, {.name = "Euler Karras", .spacing = "trailing"}).sigmas, trailing.sigmas);
  expect_error(ErrorKind::usage, {"spacing", "sideways", "leading"}, [&] { make_schedule(parse(), 10, {.spacing = "sideways"}); });
}

TEST(Schedule, OptionsHaveLimits) {
  auto refused = [](ScheduleOptions options, const char* text) {
    expect_error(ErrorKind::usage, {text}, [&] { make_schedule(parse(), 10, options); });
  };
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  for (double eta : {-0.1, 1.1, nan, infinity}) refused({.name = "ddim", .eta = eta}, "eta is ");
  for (double x : {-1.0, nan, infinity}) {
    refused({.name = "euler_ancestral", .s_noise = x}, "s_noise is ");
    refused({.s_churn = x}, "s_churn is ");
    refused({.s_tmin = x}, "s_tmin is ");
  }
  refused({.s_tmin = 3, .s_tmax = 2}, "s_tmax is 2; expected s_tmin, 3");
  refused({.s_tmax = nan}, "s_tmax is nan");
}

// If the model knows noise and clean latent, the next x is of the next level: old and new noise in quadrature.
TEST(Schedule, EachStepLandsOnTheNextLevel) {
  for (const char* name : {"euler_ancestral", "dpmpp_2m_sde", "ddim"})
    for (double eta : {0.0, 0.4, 1.0}) {
      const Schedule s = make_schedule(parse(), 10, {.name = name, .eta = eta});
      for (size_t i = 0; i < 9; ++i) {
        const std::vector<double>& m = s.rows[i].matrix;
        const Mixture &from = s.mixtures[i], &to = s.mixtures[i + 1];
        const double of_saved = s.saved && i > 0 ? m[2] : 0, fresh = m[size_t(2 + s.saved)];
        EXPECT_EQ(s.rows[i].draws, eta > 0) << name;
        EXPECT_NEAR(m[0] * from.signal + of_saved, to.signal, 1e-6 * to.signal) << name;
        EXPECT_NEAR(std::hypot(m[0] * from.noise + m[1], fresh), to.noise, 1e-6 * to.noise) << name << eta;
      }
    }
}

TEST(Schedule, NoiseIsScaled) {
  const Schedule plain = make_schedule(parse(), 10, {.name = "euler_ancestral"}),
                 less = make_schedule(parse(), 10, {.name = "euler_ancestral", .s_noise = 0.5});
  for (size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(less.rows[i].matrix[0], plain.rows[i].matrix[0]);
    EXPECT_EQ(less.rows[i].matrix[2], 0.5 * plain.rows[i].matrix[2]);
  }
}

TEST(Schedule, StrengthKeepsTheLastSteps) {
  const Schedule whole = make_schedule(parse(), 10, {.name = "dpmpp_2m"}), part = make_schedule(parse(), 10, {.name = "dpmpp_2m", .strength = 0.35});
  ASSERT_EQ(part.rows.size(), 3u);  // of 3.5, as diffusers counts
  for (int i = 0; i < 3; ++i) EXPECT_EQ(part.rows[size_t(i)].timestep, whole.rows[size_t(i + 7)].timestep);
  EXPECT_EQ(part.rows[1].matrix, whole.rows[8].matrix);
  EXPECT_NE(whole.rows[7].matrix[2], 0);  // what was saved
  EXPECT_EQ(part.rows[0].matrix[2], 0);   // nothing was
  EXPECT_GT(part.start.signal, 0);
  EXPECT_NEAR(part.start.signal * part.start.signal + part.start.noise * part.start.noise, 1, 1e-6);
  EXPECT_EQ(whole.start.signal, 0);
  expect_error(ErrorKind::usage, {"strength 0.09", "10 steps", "0.1"}, [&] { make_schedule(parse(), 10, {.strength = 0.09}); });
  expect_error(ErrorKind::usage, {"strength is 1.5", "0 to 1"}, [&] { make_schedule(parse(), 10, {.strength = 1.5}); });
}

}  // namespace
}  // namespace hayate
