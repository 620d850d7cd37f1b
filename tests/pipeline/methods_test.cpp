// DeepCache and the interval of guidance on a pipeline: what they leave as it is, what they refuse, memory. Pictures with them are compared with
// diffusers' in the parity tests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/expect_error.h"
#include "hayate/hayate.h"
#include "pipeline/step_plan.h"

namespace hayate::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string data = HAYATE_SOURCE_DIR "/tests/data/", tiny = data + "parity/tiny-sdxl", kohya = data + "lora/kohya.safetensors";

std::vector<std::string> kinds(int steps, bool guided, const Request& r) {
  const StepPlan plan = plan_steps(steps, guided, r);
  std::vector<std::string> names;
  for (size_t kind : plan.steps) names.push_back(std::string(plan.kinds[kind].guided ? "both" : "one") + (plan.kinds[kind].shallow ? ", shallow" : ""));
  return names;
}

TEST(StepPlan, AStepIsWholeWhereTheScheduleOrAnotherBatchAsksForIt) {
  EXPECT_THAT(kinds(3, true, {}), ElementsAre("both", "both", "both"));
  EXPECT_THAT(kinds(2, false, {}), ElementsAre("one", "one"));
  EXPECT_THAT(kinds(5, true, {.guidance_interval = {0, 0.6}}), ElementsAre("both", "both", "both", "one", "one"));
  EXPECT_THAT(kinds(4, true, {.guidance_interval = {0.25, 0.5}}), ElementsAre("one", "both", "one", "one"));
  EXPECT_THAT(kinds(4, false, {.deepcache = {.interval = 3}}), ElementsAre("one", "one, shallow", "one, shallow", "one"));
  EXPECT_THAT(kinds(7, true, {.guidance_interval = {0, 0.6}, .deepcache = {.interval = 3}}),
              ElementsAre("both", "both, shallow", "both, shallow", "both", "both, shallow", "one", "one"));  // the sixth has another shape
}

Request request(int steps = 4) { return {.pictures = {{.prompt = "a red fox", .seed = 3, .guidance = 4}}, .width = 48, .height = 64, .steps = steps}; }

// Latents after each step.
std::vector<std::vector<float>> latents(Pipeline& pipeline, Request r) {
  std::vector<std::vector<float>> all;
  r.on_step = [&](const Progress& p) { return all.emplace_back(p.latent.begin(), p.latent.end()), true; };
  pipeline.generate(r);
  return all;
}

TEST(Methods, BeginWhereTheyBegin) {
  Pipeline pipeline({.model = tiny, .rung = "projections"});
  Request plain = request(), unguided = request();
  unguided.pictures[0].guidance = 1;
  const auto guided = latents(pipeline, plain), alone = latents(pipeline, unguided);

  Request late = request();
  late.guidance_interval = {0.5, 1};
  const auto from_half = latents(pipeline, late);
  for (size_t i : {0, 1}) EXPECT_EQ(from_half[i], alone[i]) << i;
  for (size_t i : {2, 3}) EXPECT_NE(from_half[i], alone[i]) << i;
  late.guidance_interval = {0, 0};
  EXPECT_EQ(latents(pipeline, late), alone);

  Request cached = request();
  cached.deepcache = {.interval = 3, .branch = 4};
  const auto third = latents(pipeline, cached);
  EXPECT_EQ(third[0], guided[0]);
  EXPECT_NE(third[1], guided[1]);
  EXPECT_EQ(latents(pipeline, cached), third);  // nothing is left of the run before
  cached.deepcache.branch = 0;
  EXPECT_NE(latents(pipeline, cached)[1], third[1]);
  cached.deepcache.interval = 1;
  EXPECT_EQ(latents(pipeline, cached), guided);
}

TEST(Methods, LorasReachEveryProgram) {
  Request both = request();
  both.deepcache = {.interval = 2, .branch = 3}, both.guidance_interval = {0, 0.6};
  Pipeline pipeline({.model = tiny, .rung = "projections"});
  const auto plain = latents(pipeline, both);
  pipeline.set_loras({{kohya, 0.7f}});
  Pipeline fresh({.model = tiny, .loras = {{kohya, 0.7f}}, .rung = "projections"});
  EXPECT_EQ(latents(pipeline, both), latents(fresh, both));
  pipeline.set_loras({});
  EXPECT_EQ(latents(pipeline, both), plain);
}

TEST(Methods, AreForecastCountedAndNamed) {
  Request plain = request(9), cached = plain;
  cached.deepcache = {.interval = 3, .branch = 1, .center = 4, .power = 1.4f};
  Pipeline pipeline({.model = tiny, .rung = "projections"});
  const MemoryForecast without = pipeline.forecast(plain), with = pipeline.forecast(cached);
  EXPECT_GT(with.stages[1].activations, without.stages[1].activations);
  const Result result = pipeline.generate(cached);
  EXPECT_LE(result.peak_memory, with.peak - with.process);
  EXPECT_LT(result.work.step_flops, 0.8 * pipeline.generate(plain).work.step_flops);
  EXPECT_THAT(result.infotext[0], HasSubstr("DeepCache interval: 3, DeepCache branch: 1, DeepCache center: 4, DeepCache power: 1.4, "));
  cached.guidance_interval = {0, 0.6};
  EXPECT_THAT(pipeline.infotext(cached)[0], HasSubstr("Guidance interval: \"0, 0.6\", "));
}

TEST(Methods, WhatMakesNoSenseIsRefused) {
  Pipeline pipeline({.model = tiny, .rung = "projections"});
  auto refused = [&](std::initializer_list<const char*> named, auto change) {
    Request r = request();
    change(r);
    expect_error(ErrorKind::usage, named, [&] { pipeline.generate(r); });
  };
  refused({"branch is 9", "0 to 8"}, [](Request& r) { r.deepcache = {.interval = 2, .branch = 9}; });
  refused({"branch is -1"}, [](Request& r) { r.deepcache = {.interval = 2, .branch = -1}; });
  refused({"interval is 0"}, [](Request& r) { r.deepcache.interval = 0; });
  refused({"center is 4", "0 to 3"}, [](Request& r) { r.deepcache = {.interval = 2, .center = 4}; });
  refused({"power is 1"}, [](Request& r) { r.deepcache = {.interval = 2, .center = 1, .power = 1}; });
  refused({"power is nan"}, [](Request& r) { r.deepcache = {.interval = 2, .center = 1, .power = NAN}; });
  for (auto [begin, end] : {std::pair(0.6, 0.2), {-0.1, 1.0}, {0.0, 1.1}, {NAN, 1.0}})
    refused({"guidance_interval"}, [=](Request& r) { r.guidance_interval = {begin, end}; });
}

}  // namespace
}  // namespace hayate::testing
