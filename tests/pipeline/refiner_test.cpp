// A second model goes on: what is refused, and what is told. That it draws what diffusers draws: parity_pictures_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "hayate/hayate.h"

namespace hayate {
namespace {

const std::string kModels = HAYATE_SOURCE_DIR "/tests/data/parity/";

Pipeline& pipeline() {
  static Pipeline shared({.model = kModels + "tiny-sdxl", .refiner = kModels + "tiny-refiner"});
  return shared;
}

Request request(double handover, int steps) {
  Request r;
  r.pictures = {{.prompt = "a castle", .seed = 3}};
  r.width = 48, r.height = 64, r.steps = steps, r.handover = handover;
  return r;
}

TEST(Refiner, StepsOfBothAreCountedTogether) {
  Request r = request(0.5, 6);
  std::vector<int> steps;
  r.on_step = [&](const Progress& p) {
    EXPECT_EQ(p.steps, 6);
    steps.push_back(p.step);
    return true;
  };
  const Result result = pipeline().generate(r);
  EXPECT_THAT(steps, ::testing::ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(result.infotext[0], ::testing::HasSubstr("Refiner: tiny-refiner, Refiner switch at: 0.5"));
}

TEST(Refiner, AFirstStepOfTwoCallsStaysWhole) {
  Request r = request(0.5, 6);
  r.scheduler = "pndm";
  int steps = 0;
  r.on_step = [&](const Progress& p) { return steps = p.steps, true; };
  pipeline().generate(r);
  EXPECT_EQ(steps, (3 + 1) + (3 + 1));
}

TEST(Refiner, IsToldScores) {
  Request r = request(0.5, 4);
  const std::vector<float> usual = pipeline().generate(r).latents;
  r.pictures[0].aesthetic_score = 1;
  EXPECT_NE(pipeline().generate(r).latents, usual);
  r.pictures[0].aesthetic_score = -1;
  expect_error(ErrorKind::usage, {"aesthetic_score"}, [&] { pipeline().generate(r); });
}

TEST(Refiner, BothModelsHaveSteps) {
  for (double handover : {0.0, 1.0, -0.5, double(NAN)}) expect_error(ErrorKind::usage, {"handover is"}, [&] { pipeline().generate(request(handover, 4)); });
  expect_error(ErrorKind::usage, {"handover 0.999 of 4 steps leaves no step to the refiner"}, [&] { pipeline().generate(request(0.999, 4)); });
  expect_error(ErrorKind::usage, {"leaves no step to the model before"}, [&] { pipeline().generate(request(0.01, 4)); });
  Request r = request(0.3, 10);  // the picture leaves the last steps only, and these are the refiner's
  r.init_image = Image{48, 64, std::vector<uint8_t>(48 * 64 * 3, 90)};
  r.strength = 0.2;
  expect_error(ErrorKind::usage, {"leaves no step to the model before"}, [&] { pipeline().generate(r); });
}

TEST(Refiner, HasAnArchitectureAtFullSize) {
  Pipeline random({.random = "sdxl-refiner", .rung = "fp32", .memory_limit = int64_t{1} << 40});
  Request r = request(0.5, 4);
  r.width = r.height = 256;
  const MemoryForecast f = random.forecast(r);
  ASSERT_EQ(f.stages[1].name, "denoise");
  EXPECT_NEAR(double(f.stages[1].weights) / 4, 2259526660, 1e6);  // parameters of the published UNet
}

TEST(Refiner, AnotherLatentIsRefused) {
  EXPECT_THROW(Pipeline({.model = kModels + "tiny-sdxl", .refiner = kModels + "not-there"}), Error);
}

}  // namespace
}  // namespace hayate
