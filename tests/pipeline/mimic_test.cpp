// Dynamic thresholding within pictures; the op itself: tests/backend/op_cases.cpp.
#include <gtest/gtest.h>

#include <cmath>

#include "core/expect_error.h"
#include "hayate/hayate.h"
#include "support/random_weights.h"

namespace hayate::testing {
namespace {

Pipeline& pipeline() {
  static Pipeline shared({.model = HAYATE_SOURCE_DIR "/tests/data/parity/tiny-sdxl", .rung = "fp32"});
  return shared;
}

std::vector<float> draw(float guidance, float mimic, const std::string& scheduler = "euler") {
  Request r;
  r.pictures = {{.prompt = "a castle", .seed = 3, .guidance = guidance, .mimic_guidance = mimic}};
  r.width = 48, r.height = 64, r.steps = 4, r.scheduler = scheduler;
  return pipeline().generate(r).latents;
}

// From the mean of their channel, of all numbers.
double deviation(const std::vector<float>& v) {
  constexpr size_t channels = 4;
  double all = 0;
  for (size_t c = 0; c < channels; ++c) {
    const double count = double(v.size() / channels);
    double sum = 0, squares = 0;
    for (size_t i = c; i < v.size(); i += channels) sum += v[i], squares += double(v[i]) * v[i];
    all += squares / count - (sum / count) * (sum / count);
  }
  return std::sqrt(all / channels);
}

TEST(DynamicThresholding, BringsContrastBack) {
  for (const char* scheduler : {"euler", "dpmpp_2m", "ddim", "heun"}) {  // x of either scale, with saved values and without, two calls a step
    const double low = deviation(draw(4, 0, scheduler)), high = deviation(draw(30, 0, scheduler)), mimicked = deviation(draw(30, 4, scheduler));
    ASSERT_GT(high, 1.5 * low) << scheduler;
    EXPECT_LT(mimicked, (low + high) / 2) << scheduler;
    EXPECT_GT(mimicked, 0.5 * low) << scheduler;
  }
}

TEST(DynamicThresholding, ChangesNothingWhereNothingIsTooMuch) {
  EXPECT_LE(relative_l2(draw(5, 5), draw(5, 0)), 1e-5);
  EXPECT_GT(relative_l2(draw(8, 5), draw(8, 0)), 1e-2);
  EXPECT_EQ(draw(1, 5), draw(1, 0)) << "no guidance";
}

TEST(DynamicThresholding, IsForEachPictureItsOwn) {
  Request both;
  both.pictures = {{.prompt = "a castle", .seed = 3, .guidance = 20, .mimic_guidance = 4}, {.prompt = "a castle", .seed = 3, .guidance = 20}};
  both.width = 48, both.height = 64, both.steps = 4, both.scheduler = "euler";
  const std::vector<float> latents = pipeline().generate(both).latents;
  const std::vector<float> first(latents.begin(), latents.begin() + long(latents.size() / 2)), second(latents.begin() + long(latents.size() / 2), latents.end());
  EXPECT_LE(relative_l2(first, draw(20, 4)), 1e-4);
  EXPECT_LE(relative_l2(second, draw(20, 0)), 1e-4);
}

TEST(DynamicThresholding, ImpossibleValuesAreRefused) {
  for (float mimic : {-1.0f, 1001.0f, NAN}) expect_error(ErrorKind::usage, {"mimic_guidance is"}, [&] { draw(5, mimic); });
}

}  // namespace
}  // namespace hayate::testing
