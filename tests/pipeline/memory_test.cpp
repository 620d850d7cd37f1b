// Memory that is forecast, limited and given back; all on a tiny random SDXL, whose networks are small against what the process takes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "core/scratch_folder.h"
#include "hayate/hayate.h"

namespace hayate {
namespace {

const std::string kModel = HAYATE_SOURCE_DIR "/tests/data/parity/tiny-sdxl";

Request request(int width, int height, size_t pictures = 1) {
  Request r;
  r.pictures.resize(pictures, {.prompt = "a castle", .seed = 7});
  r.width = width, r.height = height;
  r.steps = 1;
  return r;
}

// What the largest stage takes without anything that is kept for others: no request can do with less.
int64_t least(const MemoryForecast& f) {
  int64_t bytes = 0;
  for (const MemoryStage& s : f.stages) bytes = std::max(bytes, f.process + s.peak - s.kept);
  return bytes;
}

TEST(Memory, IsForecastToTheByte) {
  for (const RungInfo& rung : rungs("cpu"))
    for (auto [width, height, pictures] : {std::tuple{128, 128, 1}, {48, 64, 3}}) {
      Pipeline p({.model = kModel, .rung = rung.name});
      Request r = request(width, height, size_t(pictures));
      MemoryForecast f = p.forecast(r);
      EXPECT_EQ(f.stages.size(), 3u);
      EXPECT_TRUE(f.fits());
      EXPECT_EQ(p.generate(r).peak_memory, f.peak - f.process) << rung.name << " " << width << "x" << height;
      EXPECT_EQ(p.generate(r).peak_memory, p.forecast(r).peak - f.process) << "with weights that stayed";
    }
}

TEST(Memory, StreamedWeightsDrawTheSamePictureInLess) {
  for (const char* rung : {"fp32", "bf16", "projections", "int8"}) {
    SCOPED_TRACE(rung);
    const Options options{.model = HAYATE_SOURCE_DIR "/models/builtin", .rung = rung, .quantize_layers = "all"};  // not what measures faster, now and then
    Options low = options;
    low.low_memory = true;
    Request r = request(64, 64);
    r.steps = 2;
    Pipeline whole(options), streamed(low);
    const MemoryForecast f = streamed.forecast(r);
    const Result expected = whole.generate(r), got = streamed.generate(r);
    EXPECT_EQ(got.images[0].rgb, expected.images[0].rgb);
    EXPECT_EQ(got.latents, expected.latents);
    EXPECT_LE(got.peak_memory, f.peak - f.process);
    EXPECT_GE(double(got.peak_memory), 0.85 * double(f.peak - f.process));  // the largest values of a network need not be read by one op
    EXPECT_LT(got.peak_memory, expected.peak_memory);
  }
}

TEST(Memory, NetworksGiveWayToEachOtherWhereItIsShort) {
  Request r = request(48, 64);
  Pipeline free({.model = kModel});
  const MemoryForecast f = free.forecast(r);
  const Result expected = free.generate(r);
  ASSERT_LT(least(f), f.peak);

  Pipeline tight({.model = kModel, .memory_limit = least(f)});
  const MemoryForecast staged = tight.forecast(r);
  EXPECT_TRUE(staged.fits());
  EXPECT_EQ(staged.budget, least(f));
  for (int round = 0; round < 3; ++round) {
    Result got = tight.generate(r);
    EXPECT_EQ(got.images[0].rgb, expected.images[0].rgb) << "round " << round;
    EXPECT_LE(got.peak_memory, least(f) - f.process) << "round " << round;
  }
}

TEST(Memory, ARequestThatCannotFitIsRefusedBeforeItStarts) {
  Pipeline p({.model = kModel, .memory_limit = least(Pipeline({.model = kModel}).forecast(request(64, 64)))});
  Request large = request(256, 256);
  bool started = false;
  large.on_step = [&](const Progress&) { return started = true; };
  expect_error(ErrorKind::out_of_memory, {"the limit is", "decode", "weights", "Would fit", "pixels"}, [&] { p.generate(large); });
  EXPECT_FALSE(started);
  EXPECT_FALSE(p.forecast(large).fits());
  EXPECT_EQ(p.generate(request(64, 64)).images.size(), 1u);  // and the pipeline goes on working

  expect_error(ErrorKind::out_of_memory, {"Nothing smaller"}, [&] { Pipeline({.model = kModel, .memory_limit = 1000}).generate(request(64, 64)); });
}

TEST(Memory, WhatWouldFitDoes) {
  Pipeline p({.model = kModel, .rung = "fp32", .memory_limit = least(Pipeline({.model = kModel, .rung = "fp32"}).forecast(request(128, 128)))});
  MemoryForecast f = p.forecast(request(256, 128));
  ASSERT_FALSE(f.fits());
  EXPECT_THAT(f.would_fit, ::testing::Contains(::testing::HasSubstr("pixels")));
  for (const std::string& change : f.would_fit) {
    int width = 0, height = 0;
    if (std::sscanf(change.c_str(), "%dx%d pixels", &width, &height) == 2) {
      EXPECT_TRUE(p.forecast(request(width, height)).fits()) << change;
      EXPECT_NEAR(double(width) / height, 2, 0.3);
    }
  }
  EXPECT_THAT(p.forecast(request(128, 128, 8)).would_fit, ::testing::Contains("1 picture at a time"));
}

// Sizes that once started to work until the machine was full.
TEST(Memory, TheLargestPictureIsRefusedAtOnce) {
  Pipeline p({.model = kModel, .rung = "fp32"});
  expect_error(ErrorKind::out_of_memory, {"the machine has", "TiB"}, [&] { p.generate(request(16384, 16384, 256)); });
}

MemoryForecast forecast(const Options& options, const Request& r) { return Pipeline(options).forecast(r); }

TEST(Memory, TilesMakeALargePictureFit) {
  Request r = request(640, 448);
  const Result expected = Pipeline({.model = kModel, .rung = "fp32", .vae_tiling = VaeTiling::off}).generate(r);
  const MemoryForecast whole = forecast({.model = kModel, .rung = "compile", .vae_tiling = VaeTiling::off}, r),
                       tiled = forecast({.model = kModel, .rung = "compile", .vae_tiling = VaeTiling::on}, r);
  EXPECT_FALSE(whole.vae_tiled);
  EXPECT_TRUE(tiled.vae_tiled);
  ASSERT_LT(least(tiled), least(whole));
  EXPECT_FALSE(forecast({.model = kModel, .rung = "compile", .memory_limit = least(whole)}, r).vae_tiled);  // no need

  Pipeline tight({.model = kModel, .rung = "compile", .memory_limit = least(whole) - 1});
  EXPECT_TRUE(tight.forecast(r).vae_tiled);
  for (int round = 0; round < 2; ++round) {
    const Result got = tight.generate(r);
    EXPECT_LE(got.peak_memory, least(whole) - 1);
    EXPECT_EQ(got.images.size(), 1u);
  }
  expect_error(ErrorKind::out_of_memory, {"decode", "the VAE in tiles"},
               [&] { Pipeline({.model = kModel, .rung = "compile", .vae_tiling = VaeTiling::off, .memory_limit = least(whole) - 1}).generate(r); });

  const Result got = Pipeline({.model = kModel, .rung = "fp32", .vae_tiling = VaeTiling::on}).generate(r);
  int most = 0;
  for (size_t i = 0; i < got.images[0].rgb.size(); ++i) most = std::max(most, std::abs(int(got.images[0].rgb[i]) - int(expected.images[0].rgb[i])));
  EXPECT_LE(most, 1);
}

TEST(Memory, OfTilesIsForecastToTheByte) {
  for (const char* rung : {"fp32", "projections"}) {
    Pipeline p({.model = kModel, .rung = rung, .vae_tiling = VaeTiling::on});
    Request r = request(640, 448, 2);
    MemoryForecast f = p.forecast(r);
    EXPECT_LE(p.generate(r).peak_memory, f.peak - f.process) << rung;  // weights come part by part
    EXPECT_EQ(p.generate(r).peak_memory, p.forecast(r).peak - f.process) << rung << ", with weights that stayed";
  }
}

TEST(Memory, ADumpIsForecastToo) {
  ScratchFolder folder;
  Request plain = request(48, 64), dumped = plain;
  dumped.dump_pattern = "*";
  dumped.dump_file = folder / "dump.safetensors";
  Pipeline p({.model = kModel});
  EXPECT_GT(p.forecast(dumped).peak, p.forecast(plain).peak);
  EXPECT_EQ(p.generate(dumped).peak_memory, p.forecast(dumped).peak - p.forecast(dumped).process);
}

}  // namespace
}  // namespace hayate
