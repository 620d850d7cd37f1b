// hayate generate with prompts from files, and in the syntaxes of other programs.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/run_program.h"
#include "core/scratch_folder.h"
#include "hayate/hayate.h"

namespace hayate {
namespace {

using nlohmann::json;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class PromptArguments : public testing::Test {
 protected:
  ScratchFolder scratch;

  Outcome generate(std::vector<std::string> arguments, const std::string& input = "") {
    std::vector<std::string> all = {"generate", "-W", "64", "-H", "64", "--steps", "1", "--json"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run_program(all, {.folder = scratch / "", .input = input});
  }
  std::vector<std::string> prompts_of(const Outcome& o) {
    std::vector<std::string> prompts;
    EXPECT_EQ(o.status, 0) << o.err;
    if (o.status != 0) return {};
    const json result = json::parse(o.out);
    for (const json& picture : result["pictures"]) prompts.push_back(picture["prompt"]);
    return prompts;
  }
};

TEST_F(PromptArguments, LinesOfAFileFollowThoseOfTheCommandLine) {
  std::string file = scratch.write("prompts.txt", "# three\na castle\n\nan (old) lake\r\n");
  EXPECT_EQ(prompts_of(generate({"--prompts-file", file, "a hill"})), (std::vector<std::string>{"a hill", "a castle", "an (old) lake"}));
}

TEST_F(PromptArguments, StandardInputIsAFileToo) {
  EXPECT_EQ(prompts_of(generate({"--prompts-file", "-"}, "a castle\n#\na lake")), (std::vector<std::string>{"a castle", "a lake"}));
  Outcome o = generate({"--prompts-file", "-"}, "# nothing\n");
  EXPECT_EQ(o.status, 2);
  EXPECT_TRUE(contains(o.err, "no prompt")) << o.err;
}

TEST_F(PromptArguments, AFileThatIsNoneIsRefused) {
  EXPECT_EQ(generate({"--prompts-file", "none.txt"}).status, 3);
  EXPECT_EQ(generate({"--prompts-file", ""}).status, 3);
  EXPECT_EQ(generate({"--prompts-file", scratch / ""}).status, 5);
  Outcome o = generate({"--prompts-file", scratch.write("latin1.txt", "a castle\na ch\xe2teau\n")});
  EXPECT_EQ(o.status, 3);
  EXPECT_TRUE(contains(o.err, "latin1.txt: line 2")) << o.err;
  o = generate({"--prompts-file", "/dev/zero"});
  EXPECT_EQ(o.status, 3);
  EXPECT_TRUE(contains(o.err, "more than 16777216 bytes")) << o.err;
  std::string many;
  for (int i = 0; i < 10001; ++i) many += "a castle\n";
  o = generate({"--prompts-file", scratch.write("many.txt", many)});
  EXPECT_EQ(o.status, 2);
  EXPECT_TRUE(contains(o.err, "10001 pictures in one call; at most 10000")) << o.err;
}

TEST_F(PromptArguments, MorePicturesThanFitAreDrawnInBatches) {
  std::string many;
  for (int i = 0; i < 65; ++i) many += "a castle\n";
  auto draw = [&](std::vector<std::string> more) {
    std::vector<std::string> all = {"generate", "--steps", "1", "-o", "p/{seed}.png"};
    all.insert(all.end(), more.begin(), more.end());
    return run_program(all, {.folder = scratch / ""});
  };
  const std::string file = scratch.write("many.txt", many);
  Outcome o = draw({"--prompts-file", file, "-W", "8", "-H", "8"});
  ASSERT_EQ(o.status, 0) << o.err;
  EXPECT_TRUE(o.out.starts_with("p/0.png\n") && o.out.ends_with("p/64.png\n")) << o.out;
  EXPECT_TRUE(contains(o.err, "step 2/2 ") && contains(o.err, "8x8, 1 steps")) << o.err;
  EXPECT_TRUE(contains(read_image(scratch / "p/64.png").infotext, "Seed: 64,"));
  o = draw({"--prompts-file", file, "-W", "8", "-H", "8", "--noise-batch", "shared"});
  EXPECT_TRUE(o.status == 0 && contains(o.err, "step 1/1")) << o.err;

  auto peak = [](const char* batch) {
    Outcome forecast = run_program({"inspect", HAYATE_SOURCE_DIR "/models/builtin", "--size", "64x64", "--batch", batch, "--json"});
    return json::parse(forecast.out)["forecast"]["peak"].get<int64_t>();
  };
  const std::string limit = std::to_string((peak("4") + peak("8")) / 2);
  o = draw({"a castle", "-W", "64", "-H", "64", "--batch", "8", "--memory-limit", limit});
  EXPECT_TRUE(o.status == 0 && contains(o.err, "step 2/2 ")) << o.err;
  EXPECT_EQ(draw({"a castle", "-W", "64", "-H", "64", "--batch", "8", "--memory-limit", limit, "--noise-batch", "shared"}).status, 4);
}

TEST_F(PromptArguments, WeightsCountInTheSyntaxesThatHaveThem) {
  auto draw = [&](const char* syntax, const char* prompt) {
    EXPECT_EQ(generate({prompt, "--prompt-syntax", syntax, "--rung", "fp32"}).status, 0);
    std::string bytes = slurp(scratch / "hayate.png");
    return bytes.substr(bytes.find("IDAT"));  // without the infotext
  };
  EXPECT_EQ(draw("a1111", "a castle"), draw("diffusers", "a castle"));
  EXPECT_NE(draw("a1111", "a (castle:1.5)"), draw("a1111", "a castle"));
  EXPECT_NE(draw("comfy", "a (castle:1.5)"), draw("comfy", "a castle"));
}

TEST_F(PromptArguments, LinesMayChangeLoras) {
  const std::string tests = HAYATE_SOURCE_DIR "/tests/data/";
  std::vector<std::string> common = {"-m", tests + "parity/tiny-sdxl", "--prompt-syntax", "a1111", "--lora-folder", tests + "lora", "-o", "{index}.png"};
  auto draw = [&](const std::string& lines, std::vector<std::string> more) {
    more.insert(more.end(), common.begin(), common.end());
    more.insert(more.end(), {"--prompts-file", "-"});
    return generate(more, lines);
  };
  auto pixels = [&](const char* name) { return read_image(scratch / name).image.rgb; };
  Outcome o = draw("a fox <lora:kohya:0.7>\na fox \na fox <lora:kohya:0.7>\n", {"--seed", "3", "--seed", "3", "--seed", "3"});
  ASSERT_EQ(o.status, 0) << o.err;
  EXPECT_EQ(pixels("1.png"), pixels("3.png"));
  EXPECT_NE(pixels("1.png"), pixels("2.png"));
  EXPECT_TRUE(contains(read_image(scratch / "1.png").infotext, "a fox <lora:kohya:0.7>"));
  std::filesystem::remove(scratch / "1.png");
  o = draw("a fox\na fox <lora:nobody>\n", {});
  EXPECT_EQ(o.status, 3);
  EXPECT_TRUE(contains(o.err, "\"nobody\"") && contains(o.err, "kohya")) << o.err;
  EXPECT_FALSE(std::filesystem::exists(scratch / "1.png"));  // found before the first is drawn
  o = draw("a fox\na fox <lora:kohya>\n", {"--noise-batch", "shared"});
  EXPECT_EQ(o.status, 2);
  EXPECT_TRUE(contains(o.err, "different LoRAs")) << o.err;
}

TEST_F(PromptArguments, WhatASyntaxDoesNotDoIsNamed) {
  Outcome o = generate({"a [castle:lake:5]", "--prompt-syntax", "a1111"});
  EXPECT_EQ(o.status, 4);
  EXPECT_TRUE(contains(o.err, "\"[castle:lake:5]\"")) << o.err;
  o = generate({"a castle <lora:old:1>", "--prompt-syntax", "a1111"});
  EXPECT_EQ(o.status, 2);
  EXPECT_TRUE(contains(o.err, "LoRA \"old\"") && contains(o.err, "no folder")) << o.err;
  EXPECT_EQ(generate({"a (castle:1.2.3)", "--prompt-syntax", "a1111"}).status, 2);
}

}  // namespace
}  // namespace hayate
