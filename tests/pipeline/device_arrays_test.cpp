// Latents and prompt embeddings as arrays, and latents that stay on the device: they draw what the same numbers in vectors draw. Memory of the host
// stands for that of a GPU.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "backend/backend.h"
#include "core/expect_error.h"
#include "hayate/hayate.h"
#include "support/lying_array.h"

namespace hayate::testing {
namespace {

const std::string kModel = HAYATE_SOURCE_DIR "/tests/data/parity/tiny-sdxl";
const std::vector<int64_t> kShape{2, 8, 6, 4};

Pipeline& pipeline() {
  static Pipeline shared({.model = kModel, .rung = "fp32"});
  return shared;
}

Request request() {
  return {
      .pictures = {{.prompt = "a red fox", .negative_prompt = "dull", .seed = 3, .guidance = 4}, {.prompt = "two owls", .seed = 8, .guidance = 7}},
      .width = 48,
      .height = 64,
      .steps = 3};
}
std::vector<float> some_noise() { return random_floats("noise", 2 * 8 * 6 * 4, 0, 1); }

Image picture_of(int width, int height) {
  Image image{width, height, std::vector<uint8_t>(size_t(width) * size_t(height) * 3)};
  std::mt19937 random{5};
  for (uint8_t& v : image.rgb) v = uint8_t(random());
  return image;
}

void expect_the_same(const Request& in_a_vector, const Lie& lie) {
  Request as_array = in_a_vector;
  as_array.device_latents = laid(in_a_vector.latents, kShape, lie).array;
  as_array.latents.clear();
  const Result expected = pipeline().generate(in_a_vector), drawn = pipeline().generate(as_array);
  EXPECT_EQ(drawn.latents, expected.latents);
  EXPECT_EQ(drawn.images[1].rgb, expected.images[1].rgb);
}

TEST(DeviceArrays, LatentsOfAnyTypeAndOrder) {
  const Lie as_torch{.order = {0, 3, 1, 2}};
  for (FloatType type : {FloatType::f32, FloatType::f16, FloatType::bf16}) {
    Request r = request();
    r.latents = rounded_to(type, some_noise());
    expect_the_same(r, {.type = type, .order = as_torch.order, .backwards = {2}});
  }
}

TEST(DeviceArrays, LatentsInEveryKindOfRequest) {
  auto with = [](auto change) {
    Request r = request();
    r.latents = some_noise();
    change(r);
    expect_the_same(r, {.order = {0, 3, 1, 2}});
  };
  with([](Request& r) { r.scheduler = "dpmpp_2m"; });  // keeps a state beside x
  with([](Request& r) { r.scheduler = "euler_a"; });
  with([](Request& r) { r.on_step = [](const Progress&) { return true; }; });
  with([](Request& r) { r.deepcache.interval = 2; });
  with([](Request& r) { r.init_image = picture_of(48, 64), r.strength = 0.7; });
  with([](Request& r) { r.init_image = picture_of(48, 64), r.mask = picture_of(48, 64); });
  with([](Request& r) { r.hires = Hires{.scale = 1.5, .steps = 2}; });
}

EncodedPrompt as_arrays(const EncodedPrompt& e, Lie lie) {
  auto of = [&](const PromptEmbeds& p) {
    const int64_t width = int64_t(p.hidden.size()) / p.tokens;
    return PromptEmbeds{.tokens = p.tokens,
                        .device_hidden = laid(p.hidden, {p.tokens, width}, lie).array,
                        .device_pooled = laid(p.pooled, {int64_t(p.pooled.size())}, {.type = lie.type, .backwards = {0}}).array};
  };
  return {of(e.prompt), of(*e.negative)};
}

TEST(DeviceArrays, EmbeddingsBesideTexts) {
  Request text = request();
  const std::vector<EncodedPrompt> encoded = pipeline().encode_prompts(text);
  for (bool watched : {false, true})
    for (size_t i = 0; i < 2; ++i) {
      Request r = text;
      if (watched) r.on_step = [](const Progress&) { return true; };
      r.guidance_interval = {0, 0.5};  // then steps of one half
      const std::vector<float> expected = pipeline().generate(r).latents;
      const EncodedPrompt arrays = as_arrays(encoded[i], {.order = {1, 0}, .backwards = {1}});
      r.pictures[i].prompt = r.pictures[i].negative_prompt = "another";
      r.pictures[i].prompt_embeds = arrays.prompt;
      EXPECT_NE(pipeline().generate(r).latents, expected);
      r.pictures[i].negative_prompt_embeds = arrays.negative;
      EXPECT_EQ(pipeline().generate(r).latents, expected) << "picture " << i;
    }
}

TEST(DeviceArrays, EmbeddingsOf16Bits) {
  Request r = request(), narrow = r;
  const std::vector<EncodedPrompt> encoded = pipeline().encode_prompts(r);
  for (size_t i = 0; i < 2; ++i) {
    r.pictures[i].prompt_embeds = encoded[i].prompt;
    r.pictures[i].negative_prompt_embeds = encoded[i].negative;
    for (auto* e : {&r.pictures[i].prompt_embeds, &r.pictures[i].negative_prompt_embeds})
      (*e)->hidden = rounded_to(FloatType::bf16, (*e)->hidden), (*e)->pooled = rounded_to(FloatType::bf16, (*e)->pooled);
    const EncodedPrompt arrays = as_arrays(encoded[i], {.type = FloatType::bf16});
    narrow.pictures[i].prompt_embeds = arrays.prompt, narrow.pictures[i].negative_prompt_embeds = arrays.negative;
  }
  EXPECT_EQ(pipeline().generate(narrow).latents, pipeline().generate(r).latents);
}

TEST(DeviceArrays, LatentsThatStay) {
  for (const char* scheduler : {"", "dpmpp_2m"}) {
    Request r = request();
    r.scheduler = scheduler;
    const Result whole = pipeline().generate(r);
    EXPECT_FALSE(whole.device_latents);
    r.decode = false;
    r.on_decode = [](int, int) {
      ADD_FAILURE() << "decoded";
      return true;
    };
    const Result kept = pipeline().generate(r);
    EXPECT_TRUE(kept.images.empty());
    EXPECT_EQ(kept.latents, whole.latents);
    EXPECT_EQ(kept.infotext, whole.infotext);
    ASSERT_TRUE(kept.device_latents);
    EXPECT_EQ(kept.device_latents.gpu, pipeline().gpu());
    EXPECT_EQ(kept.device_latents.shape, kShape);
    pipeline().generate(request());  // writes nothing there
    const auto* numbers = static_cast<const float*>(kept.device_latents.data.get());
    EXPECT_EQ(std::vector<float>(numbers, numbers + kept.latents.size()), whole.latents);
  }
}

TEST(DeviceArrays, DecodingNothingTakesNoMemoryForIt) {
  Request r = request();
  r.width = r.height = 512;
  const MemoryForecast whole = pipeline().forecast(r);
  r.decode = false;
  const MemoryForecast latents = pipeline().forecast(r);
  EXPECT_EQ(latents.stages.size() + 1, whole.stages.size());
  EXPECT_NE(latents.stages.back().name, "decode");
}

TEST(DeviceArrays, RefusesWhatIsNone) {
  Request r = request();
  r.device_latents = laid(some_noise(), kShape, {}).array;
  auto refused = [](Request bad, std::initializer_list<const char*> why, auto spoil) {
    spoil(bad);
    expect_error(ErrorKind::usage, why, [&] { pipeline().generate(bad); });
  };
  refused(r, {"(2, 8, 6, 4)", "(1, 8, 6, 4)"}, [](Request& b) { b.pictures.pop_back(); });
  refused(r, {"latents", "twice"}, [](Request& b) { b.latents = some_noise(); });
  refused(r, {"GPU 0", "host"}, [](Request& b) { b.device_latents.gpu = 0; });
  refused(r, {"strides"}, [](Request& b) { b.device_latents.strides.pop_back(); });
  refused(r, {"type"}, [](Request& b) { b.device_latents.type = FloatType(9); });
  std::vector<float> bad = some_noise();
  bad[100] = std::numeric_limits<float>::quiet_NaN();
  refused(r, {"latents", "not finite"}, [&](Request& b) { b.device_latents = laid(bad, kShape, {}).array; });
  refused(request(), {"latents", "not finite"}, [&](Request& b) { b.latents = bad; });

  const EncodedPrompt encoded = as_arrays(pipeline().encode_prompts(request())[0], {});
  r = request();
  r.pictures[0].prompt_embeds = encoded.prompt;
  auto spoilt = [&](std::initializer_list<const char*> why, auto spoil) {
    refused(r, why, [&](Request& b) { spoil(*b.pictures[0].prompt_embeds); });
  };
  spoilt({"prompt embeddings", "expected"}, [](PromptEmbeds& e) { e.device_hidden = e.device_hidden[0]; });
  spoilt({"pooled", "expected"}, [](PromptEmbeds& e) { e.device_pooled.shape[0] -= 1; });
  spoilt({"pooled 0"}, [](PromptEmbeds& e) { e.device_pooled = {}; });
  spoilt({"twice"}, [](PromptEmbeds& e) { e.hidden = {1}; });
  spoilt({"not finite"}, [](PromptEmbeds& e) {
    e.device_pooled = laid(std::vector<float>(size_t(e.device_pooled.shape[0]), INFINITY), e.device_pooled.shape, {}).array;
  });
  expect_error(ErrorKind::usage, {"embeddings already"}, [&] { pipeline().encode_prompts(r); });
}

// What one request leaves on a GPU the next one takes from there; on the host it would be the same numbers.
TEST(DeviceArrays, StayOnTheGpu) {
  if (std::string why; cuda_devices(why).empty()) GTEST_SKIP() << why;
  for (const char* device : {"cuda", "cuda:0,0"})
    for (const char* rung : {"fp32", "projections"}) {
      SCOPED_TRACE(std::string(device) + " " + rung);
      Pipeline on_gpu({.model = kModel, .device = device, .rung = rung});
      Request r = request();
      r.decode = false;
      const Result first = on_gpu.generate(r);
      ASSERT_EQ(first.device_latents.gpu, 0);
      Request from_host = request(), from_gpu = from_host;
      from_host.latents = first.latents;
      from_gpu.device_latents = first.device_latents;
      EXPECT_EQ(on_gpu.generate(from_gpu).latents, on_gpu.generate(from_host).latents);
      from_gpu.on_step = [](const Progress&) { return true; };
      EXPECT_EQ(on_gpu.generate(from_gpu).latents, on_gpu.generate(from_host).latents);
    }
}

}  // namespace
}  // namespace hayate::testing
