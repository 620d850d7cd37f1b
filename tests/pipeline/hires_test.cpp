// Hires fix: a second pass over the enlarged picture of the first. That latents are enlarged as in torch, and drawn over as by diffusers:
// parity_pictures_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "hayate/hayate.h"
#include "image/resample.h"

namespace hayate {
namespace {

const std::string kModels = HAYATE_SOURCE_DIR "/tests/data/parity/";

Pipeline& pipeline() {
  static Pipeline shared({.model = kModels + "tiny-sdxl"});
  return shared;
}

Request request(Hires hires, int width = 48, int height = 32) {
  Request r;
  r.pictures = {{.prompt = "a castle", .seed = 3}};
  r.width = width, r.height = height, r.steps = 4, r.hires = hires;
  return r;
}

TEST(Hires, EqualsThreeCallsByHand) {
  const Hires hires{.scale = 1.5, .upscaler = Upscaler::lanczos, .strength = 0.6, .steps = 5};
  const Image found = pipeline().generate(request(hires)).images[0];
  Request r = request(hires);
  r.hires.reset();
  const Image small = pipeline().generate(r).images[0];
  r.init_image = resampled(small, lanczos_taps(32, 48), lanczos_taps(48, 72));
  r.width = 72, r.height = 48, r.steps = 5, r.strength = 0.6;
  EXPECT_EQ(found.rgb, pipeline().generate(r).images[0].rgb);
}

TEST(Hires, SizesBecomeMultiplesAndStepsAreCountedTogether) {
  Request r = request({.scale = 1.7, .strength = 0.5, .steps = 6});
  EXPECT_EQ(pipeline().picture_size(r), (std::array{80, 48}));
  std::vector<int> steps;
  r.on_step = [&](const Progress& p) {
    EXPECT_EQ(p.steps, 4 + 3);
    steps.push_back(p.step);
    return true;
  };
  const Result result = pipeline().generate(r);
  EXPECT_EQ(result.images[0].width, 80);
  EXPECT_EQ(result.images[0].height, 48);
  EXPECT_THAT(steps, ::testing::ElementsAre(1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(result.infotext[0], ::testing::HasSubstr("Size: 48x32"));
  EXPECT_THAT(result.infotext[0], ::testing::HasSubstr("Denoising strength: 0.5, Hires upscale: 1.7, Hires steps: 6, Hires upscaler: Latent, "));
}

TEST(Hires, EachPictureOfABatchIsItsOwn) {
  for (Upscaler by : {Upscaler::latent, Upscaler::lanczos}) {
    Request both = request({.upscaler = by});
    both.pictures.push_back({.prompt = "a fox", .seed = 9});
    const std::vector<Image> pictures = pipeline().generate(both).images;
    for (size_t i = 0; i < 2; ++i) {
      Request one = both;
      one.pictures = {both.pictures[i]};
      const Image alone = pipeline().generate(one).images[0];
      int most = 0;
      for (size_t at = 0; at < alone.rgb.size(); ++at) most = std::max(most, std::abs(int(alone.rgb[at]) - int(pictures[i].rgb[at])));
      EXPECT_LE(most, 3) << i;  // products of other sizes are rounded in another order
    }
  }
}

TEST(Hires, ARefinerGoesOnInTheSecondPass) {
  Pipeline refined({.model = kModels + "tiny-sdxl", .refiner = kModels + "tiny-refiner"});
  Request r = request({.strength = 0.75, .steps = 8});
  r.handover = 0.5;
  int steps = 0;
  r.on_step = [&](const Progress& p) { return steps = p.steps, true; };
  const Result with = refined.generate(r);
  EXPECT_EQ(steps, 4 + 6);
  EXPECT_NE(with.latents, pipeline().generate(r).latents);
  r.hires->strength = 0.3;  // steps of the refiner only
  expect_error(ErrorKind::usage, {"leaves no step to the model before"}, [&] { refined.generate(r); });
}

TEST(Hires, MemoryIsForecastToTheByteAndNetworksGiveWay) {
  for (Upscaler by : {Upscaler::latent, Upscaler::lanczos}) {
    const Request r = request({.scale = 2, .upscaler = by});
    Pipeline free({.model = kModels + "tiny-sdxl"});
    const MemoryForecast f = free.forecast(r);
    EXPECT_EQ(f.stages.size(), by == Upscaler::latent ? 4u : 6u);
    const Result expected = free.generate(r);
    EXPECT_EQ(expected.peak_memory, f.peak - f.process);
    EXPECT_EQ(free.generate(r).peak_memory, free.forecast(r).peak - f.process) << "with weights that stayed";

    int64_t least = 0;
    for (const MemoryStage& s : f.stages) least = std::max(least, f.process + s.peak - s.kept);
    Pipeline tight({.model = kModels + "tiny-sdxl", .memory_limit = least});
    for (int round = 0; round < 2; ++round) {
      const Result got = tight.generate(r);
      EXPECT_EQ(got.images[0].rgb, expected.images[0].rgb) << "round " << round;
      EXPECT_LE(got.peak_memory, least - f.process) << "round " << round;
    }
  }
}

TEST(Hires, WhatCannotBeIsRefused) {
  auto refused = [&](const char* mention, auto change) {
    Request r = request({});
    change(r);
    expect_error(ErrorKind::usage, {mention}, [&] { pipeline().generate(r); });
  };
  for (double scale : {0.9, 8.5, double(NAN), -1.0}) refused("hires scale is", [&](Request& r) { r.hires->scale = scale; });
  for (double strength : {-0.1, 1.5, double(NAN)}) refused("hires strength is", [&](Request& r) { r.hires->strength = strength; });
  refused("hires steps is -1", [](Request& r) { r.hires->steps = -1; });
  refused("leaves no step", [](Request& r) { r.hires->strength = 0; });
  refused("hires width is 24000", [](Request& r) { r.width = 16000; });
  refused("picture to start from", [](Request& r) { r.init_image = Image{48, 32, std::vector<uint8_t>(48 * 32 * 3, 9)}; });
  refused("upscaler 17", [](Request& r) { r.hires->upscaler = Upscaler(17); });
}

}  // namespace
}  // namespace hayate
