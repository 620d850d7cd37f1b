// Prompt syntaxes from a request to the conditioning and the picture.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/expect_error.h"
#include "core/json.h"
#include "passes/ladder.h"
#include "pipeline/conditioning.h"
#include "weights/checkpoint.h"
#include "weights/safetensors.h"

namespace hayate {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

const std::string kModels = HAYATE_SOURCE_DIR "/tests/data/parity/";
const std::string kData = HAYATE_SOURCE_DIR "/tests/data/prompt/";

// The conditioning of one prompt and one negative prompt by a model of tests/data/parity, in float32.
class Prompts {
 public:
  explicit Prompts(const std::string& model)
      : compiler_{make_reference_backend(), &find_rung("fp32"), ""},
        conditioner_(*open_checkpoint(kModels + model, ""), find_family(model == "tiny-sd15" ? "StableDiffusionPipeline" : "StableDiffusionXLPipeline", model),
                     compiler_) {}

  Conditioning condition(PromptSyntax syntax, const std::string& prompt, const std::string& negative, int clip_skip = 0) {
    Request r;
    r.pictures.resize(1);
    r.pictures[0].prompt = prompt;
    r.pictures[0].negative_prompt = negative;
    r.prompt_syntax = syntax;
    r.clip_skip = clip_skip;
    Dump none("", "");
    CompileSeconds seconds;
    return conditioner_.condition(conditioner_.read(r, /*guided=*/true, {}), r, 64, 64, none, seconds);
  }

 private:
  Compiler compiler_;
  Conditioner conditioner_;
};

Prompts& shared_prompts() {
  static Prompts prompts("tiny-sdxl");
  return prompts;
}

std::vector<float> half(const Conditioning& c, int index) {
  auto begin = c.hidden.begin() + index * c.tokens * c.width;
  return {begin, begin + c.tokens * c.width};
}
std::vector<float> pooled(const Conditioning& c, int index) {
  auto begin = c.pooled.begin() + index * c.pooled_width;
  return {begin, begin + c.pooled_width};
}

double relative_l2(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return NAN;
  double difference = 0, size = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(double(a[i]) - b[i], 2);
    size += std::pow(double(b[i]), 2);
  }
  return std::sqrt(difference / size);
}

// Rows 0, step, 2 * step ... of both halves.
std::vector<float> every(int64_t step, const Conditioning& c) {
  std::vector<float> rows;
  for (int64_t h = 0; h < 2; ++h)
    for (int64_t t = 0; t < c.tokens; t += step) {
      auto row = c.hidden.begin() + (h * c.tokens + t) * c.width;
      rows.insert(rows.end(), row, row + c.width);
    }
  return rows;
}

TEST(PromptSyntax, ConditioningEqualsTheReferences) {
  SafetensorsFile golden(kData + "states.safetensors");
  auto tensor = [&](const std::string& name) {
    int64_t count = 1;
    for (int64_t d : golden.dims(name)) count *= d;
    std::vector<float> values(static_cast<size_t>(count));
    golden.read(name, Dtype::f32, std::as_writable_bytes(std::span(values)));
    return values;
  };
  for (const std::string model : {"tiny-sdxl", "tiny-sd15"}) {
    Prompts prompts(model);
    for (auto [syntax, name] : {std::pair(PromptSyntax::a1111, "/a1111/"), std::pair(PromptSyntax::comfy, "/comfy/")})
      for (const Json& request : read_json_file(kData + "requests.json")) {
        Conditioning c = prompts.condition(syntax, request.at("prompt"), request.at("negative"));
        std::string key = model + name + std::string(request.at("name"));
        EXPECT_LE(relative_l2(every(3, c), tensor(key + "/hidden")), 2e-5) << key;
        if (model == "tiny-sdxl") {
          EXPECT_LE(relative_l2(c.pooled, tensor(key + "/pooled")), 2e-5) << key;
        }
      }
  }
}

TEST(PromptSyntax, PlainShortPromptsAreTheSameInAll) {
  Conditioning plain = shared_prompts().condition(PromptSyntax::diffusers, "a castle on a hill", "fog");
  for (PromptSyntax syntax : {PromptSyntax::a1111, PromptSyntax::comfy}) {
    Conditioning c = shared_prompts().condition(syntax, "a castle on a hill", "fog");
    EXPECT_EQ(c.hidden, plain.hidden) << int(syntax);
    EXPECT_EQ(c.pooled, plain.pooled) << int(syntax);
    EXPECT_NE(shared_prompts().condition(syntax, "a (castle) on a hill", "fog").hidden, plain.hidden) << int(syntax);
  }
  EXPECT_EQ(shared_prompts().condition(PromptSyntax::a1111, "a (castle:1.0) on a hill", "fog").tokens, plain.tokens);
}

TEST(PromptSyntax, AnEmptyNegativePromptIsZerosOrText) {
  for (PromptSyntax syntax : {PromptSyntax::diffusers, PromptSyntax::a1111}) {
    Conditioning c = shared_prompts().condition(syntax, "a castle", "");
    EXPECT_THAT(half(c, 0), Each(0.0f)) << int(syntax);
    EXPECT_THAT(pooled(c, 0), Each(0.0f)) << int(syntax);
  }
  Conditioning comfy = shared_prompts().condition(PromptSyntax::comfy, "", "");
  EXPECT_EQ(half(comfy, 0), half(comfy, 1));
  EXPECT_EQ(pooled(comfy, 0), pooled(comfy, 1));
}

const std::string kLong = [] {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "castle, hill ";
  return text;
}();

TEST(PromptSyntax, BothHalvesGetOneLength) {
  Conditioning a1111 = shared_prompts().condition(PromptSyntax::a1111, kLong, "fog"), comfy = shared_prompts().condition(PromptSyntax::comfy, kLong, "fog");
  EXPECT_EQ(a1111.tokens % 77, 0);
  EXPECT_GE(a1111.tokens, 4 * 77);
  EXPECT_EQ(int64_t(a1111.hidden.size()), 2 * a1111.tokens * a1111.width);
  // with chunks of an empty prompt, or by saying it again
  std::vector<float> empty = half(shared_prompts().condition(PromptSyntax::comfy, "", ""), 0), padded = half(a1111, 0), repeated = half(comfy, 0);
  EXPECT_TRUE(std::equal(empty.begin(), empty.end(), padded.end() - long(empty.size())));
  EXPECT_TRUE(std::equal(repeated.begin(), repeated.begin() + long(empty.size()), repeated.end() - long(empty.size())));
}

TEST(PromptSyntax, ClipSkipIsForNegativePromptsTooButInDiffusers) {
  auto negative = [](PromptSyntax syntax, int skip) { return half(shared_prompts().condition(syntax, "a castle", "fog", skip), 0); };
  EXPECT_EQ(negative(PromptSyntax::diffusers, 1), negative(PromptSyntax::diffusers, 0));
  EXPECT_NE(negative(PromptSyntax::a1111, 1), negative(PromptSyntax::a1111, 0));
  EXPECT_NE(negative(PromptSyntax::comfy, 1), negative(PromptSyntax::comfy, 0));
}

TEST(PromptSyntax, WhatCannotBeEncodedIsRefused) {
  Prompts& p = shared_prompts();
  for (PromptSyntax syntax : {PromptSyntax::a1111, PromptSyntax::comfy}) {
    std::string endless;
    for (int i = 0; i < 30; ++i) endless += kLong;
    expect_error(ErrorKind::usage, {"at most 64"}, [&] { p.condition(syntax, endless, "fog"); });
    expect_error(ErrorKind::not_finite, {"weights of a prompt"}, [&] { p.condition(syntax, "(a:300000000000000000000000000000000000000)", "fog"); });
  }
  expect_error(ErrorKind::unsupported, {"[a:b:3]"}, [&] { p.condition(PromptSyntax::a1111, "[a:b:3]", "fog"); });
  expect_error(ErrorKind::unsupported, {"<lora:a", "negative prompt"}, [&] { p.condition(PromptSyntax::a1111, "a", "<lora:a:1>"); });
  EXPECT_NO_THROW(p.condition(PromptSyntax::diffusers, "[a:b:3] <lora:a:1> (a:1.2.3)", ""));
}

TEST(PromptSyntax, TheEndOfALongPromptShowsInThePicture) {
  Pipeline pipeline({.model = kModels + "tiny-sdxl", .rung = "fp32"});
  auto draw = [&](PromptSyntax syntax, const std::string& prompt) {
    Request r;
    r.pictures.resize(1);
    r.pictures[0].prompt = prompt;
    r.width = r.height = 32;
    r.steps = 2;
    r.prompt_syntax = syntax;
    return pipeline.generate(r);
  };
  for (PromptSyntax syntax : {PromptSyntax::a1111, PromptSyntax::comfy}) {
    Result night = draw(syntax, kLong + "at (night:1.4)");
    EXPECT_NE(night.images[0].rgb, draw(syntax, kLong + "at noon").images[0].rgb) << int(syntax);
    EXPECT_THAT(night.infotext[0], HasSubstr(kLong + "at (night:1.4)\n"));
    EXPECT_THAT(night.infotext[0], HasSubstr(syntax == PromptSyntax::a1111 ? "Prompt syntax: a1111, " : "Prompt syntax: comfy, "));
  }
  EXPECT_EQ(draw(PromptSyntax::diffusers, kLong + "at night").images[0].rgb, draw(PromptSyntax::diffusers, kLong + "at noon").images[0].rgb);
}

}  // namespace
}  // namespace hayate
