// Guidance on two devices: the same latents as on one. Two devices of the host stand for two GPUs.
#include <gtest/gtest.h>

#include <cmath>

#include "core/expect_error.h"
#include "hayate/hayate.h"
#include "passes/ladder.h"
#include "pipeline/diffusion_model.h"
#include "pipeline/open_model.h"
#include "pipeline/run.h"
#include "support/lying_array.h"

namespace hayate::testing {
namespace {

const std::string tiny = HAYATE_SOURCE_DIR "/tests/data/parity/tiny-sdxl";

Request request() {
  return {.pictures = {{.prompt = "a red fox", .negative_prompt = "dull", .seed = 3, .guidance = 4}, {.prompt = "two owls", .seed = 8, .guidance = 7}},
          .width = 48, .height = 64, .steps = 4};
}

struct Drawn {
  std::vector<float> latents;
  bool split = false;  // whether the second device had anything to do
};
Drawn draw(const Request& r, const std::shared_ptr<Backend>& first, const std::shared_ptr<Backend>& second, const std::string& rung) {
  Compiler compiler{.backend = first, .rung = &find_rung(rung), .print_program = "", .second = second};
  DiffusionModel model(open_base({.model = tiny}), {}, compiler, {});
  const std::vector<Run> runs = plan_runs(r, model, nullptr, 8, {});
  const Job& job = runs[0].job;
  Dump nothing("", "");
  CompileSeconds seconds;
  const Conditioning told = model.conditioner().condition(job.prompts, r, job.width, job.height, nothing, seconds);
  LatentNoise noise = noise_of(job, model.unet().out_channels);
  Start start = start_over(job, {}, noise);
  if (r.device_latents) start = {.x = std::vector<float>(start.x.size()), .device_x = r.device_latents, .x_factor = 3};
  std::vector<float> latents = model.denoiser().run(job, told, start, noise, nothing, seconds).values;
  return {std::move(latents), second && model.denoiser().second()->loaded_bytes() > 0};
}

class SplitGuidance : public ::testing::TestWithParam<const char*> {
 protected:
  void expect_same(const Request& r, bool splits = true) {
    const Drawn two = draw(r, make_reference_backend(), make_reference_backend(), GetParam());
    EXPECT_EQ(two.latents, draw(r, make_reference_backend(), nullptr, GetParam()).latents);
    EXPECT_EQ(two.split, splits);
  }
};

TEST_P(SplitGuidance, DrawsTheSame) { expect_same(request()); }

TEST_P(SplitGuidance, WithNoiseAndStateBetweenSteps) {
  for (const char* scheduler : {"euler_a", "dpmpp_2m"}) {
    Request r = request();
    SCOPED_TRACE(r.scheduler = scheduler);
    expect_same(r);
  }
}

TEST_P(SplitGuidance, WithStepsThatAreNotGuided) {
  Request r = request();
  r.guidance_interval = {0.25, 0.75};
  expect_same(r);
  r.pictures[0].guidance = r.pictures[1].guidance = 1;
  expect_same(r, false);
}

TEST_P(SplitGuidance, WithWhatGoesTogetherWithGuidance) {
  Request r = request();
  r.pictures[0].guidance_rescale = 0.7f, r.pictures[1].mimic_guidance = 3;
  expect_same(r);
}

TEST_P(SplitGuidance, WithArraysOnTheFirstDevice) {
  Request r = request();
  r.guidance_interval = {0.25, 0.75};
  const Compiler compiler{.backend = make_reference_backend(), .rung = &find_rung(GetParam()), .print_program = ""};
  DiffusionModel model(open_base({.model = tiny}), {}, compiler, {});
  const Conditioning told = [&] {
    Dump nothing("", "");
    CompileSeconds seconds;
    return model.conditioner().condition(plan_runs(r, model, nullptr, 8, {})[0].job.prompts, r, r.width, r.height, nothing, seconds);
  }();
  const EncodedPrompt encoded = encoded_prompts(told, 2)[1];
  const Drawn expected = draw(r, make_reference_backend(), nullptr, GetParam());
  auto as_arrays = [](const PromptEmbeds& e) {
    return PromptEmbeds{.tokens = e.tokens, .device_hidden = laid(e.hidden, {e.tokens, int64_t(e.hidden.size()) / e.tokens}, {}).array,
                        .device_pooled = laid(e.pooled, {int64_t(e.pooled.size())}, {}).array};
  };
  r.pictures[1].prompt_embeds = as_arrays(encoded.prompt);
  r.pictures[1].negative_prompt_embeds = as_arrays(*encoded.negative);
  EXPECT_EQ(draw(r, make_reference_backend(), make_reference_backend(), GetParam()).latents, expected.latents);
  r.device_latents = laid(random_floats("noise", 2 * 8 * 6 * 4, 0, 1), {2, 8, 6, 4}, {}).array;
  expect_same(r);
}

TEST_P(SplitGuidance, NotWithDeepCache) {
  Request r = request();
  r.deepcache.interval = 2;
  expect_same(r, false);
}

INSTANTIATE_TEST_SUITE_P(, SplitGuidance, ::testing::Values("fp32", "projections"));

// A GPU twice, so that one is enough.
TEST(SplitGuidanceOnGpus, DrawsThePictureOfOneGpu) {
  if (std::string why; cuda_devices(why).empty()) GTEST_SKIP() << why;
  Request r = request();
  for (Picture& p : r.pictures) p.negative_prompt = "";  // for which SDXL's text is all zeros
  for (const auto& [rung, bound] : {std::pair("fp32", 1e-5), {"projections", 3e-2}, {"fp8", 0.2}}) {
    auto drawn = [&, rung = rung](const std::string& device) {
      Pipeline pipeline({.model = tiny, .device = device, .rung = rung, .quantize_layers = "all"});
      std::vector<std::vector<float>> results;
      for (int i = 0; i < 2; ++i) results.push_back(pipeline.generate(r).latents);
      EXPECT_EQ(results[0], results[1]) << device << " " << rung;
      return results[0];
    };
    const std::vector<float> two = drawn("cuda:0,0"), one = drawn("cuda");
    ASSERT_EQ(two.size(), one.size());
    double difference = 0, size = 0;
    for (size_t i = 0; i < one.size(); ++i) difference += (double(two[i]) - one[i]) * (double(two[i]) - one[i]), size += double(one[i]) * one[i];
    EXPECT_LE(std::sqrt(difference / size), bound) << rung;
  }
}

TEST(SplitGuidanceOnGpus, RefusesOtherNames) {
  for (const char* device : {"cuda:", "cuda:x", "cuda:-1", "cuda:0,", "cuda:0,1,2", "cuda:99999999999", "cpu:0", "cudas"})
    expect_error(ErrorKind::usage, {device}, [&] { Pipeline pipeline({.model = tiny, .device = device}); });
}

}  // namespace
}  // namespace hayate::testing
