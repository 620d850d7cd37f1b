// Names from patterns.
#include "cli/output_names.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "core/expect_error.h"

namespace hayate::cli {
namespace {

using Names = std::vector<std::string>;

const NameFields fields{.width = 640, .height = 512, .steps = 30, .model = "sd_xl_base_1.0", .now = 1700000000};

std::vector<Picture> prompts(std::initializer_list<std::string> texts) {
  std::vector<Picture> pictures;
  for (const std::string& text : texts) pictures.push_back({.prompt = text, .seed = 7 + pictures.size()});
  return pictures;
}
std::string prompt_name(const std::string& prompt) { return output_names("{prompt}.png", prompts({prompt}), fields)[0]; }

TEST(OutputNames, EveryPlaceholderIsFilledIn) {
  EXPECT_EQ(output_names("out/{seed}-{index}-{prompt:8}-{width}x{height}-{steps}-{model}.webp", prompts({"a castle, by night", "x"}), fields),
            (Names{"out/7-1-a-castle-640x512-30-sd_xl_base_1.0.webp", "out/8-2-x-640x512-30-sd_xl_base_1.0.webp"}));
  std::string stamped = output_names("{date}_{time}.png", prompts({"x"}), fields)[0];
  EXPECT_TRUE(stamped.starts_with("2023-11-1")) << stamped;
  EXPECT_EQ(stamped.size(), std::string("2023-11-14_22-13-20.png").size());
}

TEST(OutputNames, NamesThatWouldBeAlikeAreNumbered) {
  EXPECT_EQ(output_names("p.png", prompts({"a"}), fields), Names{"p.png"});
  EXPECT_EQ(output_names("p.png", prompts({"a", "b"}), fields), (Names{"p-1.png", "p-2.png"}));
  EXPECT_EQ(output_names("d.x/{prompt}.png", prompts({"a", "a", "a-1"}), fields), (Names{"d.x/a-1.png", "d.x/a-2.png", "d.x/a-1-3.png"}));
  EXPECT_EQ(output_names("{prompt}.png", prompts({"a", "b"}), fields), (Names{"a.png", "b.png"}));
}

TEST(OutputNames, APromptStaysOneNameInItsFolder) {
  EXPECT_EQ(prompt_name("../../etc/passwd"), "etc-passwd.png");
  EXPECT_EQ(prompt_name("/"), "picture.png");
  EXPECT_EQ(prompt_name(".."), "picture.png");
  EXPECT_EQ(prompt_name(""), "picture.png");
  EXPECT_EQ(prompt_name("-rf ~\n\t\\*?:\"<>|{seed}"), "rf-seed.png");
  EXPECT_EQ(prompt_name("caf\xc3\xa9 \xe7\x96\xbe\xe9\xa2\xa8"), "caf\xc3\xa9-\xe7\x96\xbe\xe9\xa2\xa8.png");
  EXPECT_EQ(output_names("{prompt:4}.png", prompts({"caf\xc3\xa9s"}), fields)[0], "caf\xc3\xa9.png") << "cut between characters";
  EXPECT_EQ(prompt_name(std::string("a\0b", 3)), "a-b.png");
  for (std::string text :
       {std::string(100000, 'x'), std::string("\xe7\x96\xbe") + std::string(400, '\xa2'), std::string(1000, '/'), std::string("\xff")})
    EXPECT_LE(std::filesystem::path(prompt_name(text)).string().size(), 255u);
}

TEST(OutputNames, WrongPatternsAreNamed) {
  expect_error(ErrorKind::usage, {"{sed}", "{seed}, {index}, {prompt}"}, [] { check_pattern("{sed}.png"); });
  expect_error(ErrorKind::usage, {"{}"}, [] { check_pattern("{}.png"); });
  expect_error(ErrorKind::usage, {"{prompt:0}", "from 1 to"}, [] { check_pattern("{prompt:0}.png"); });
  expect_error(ErrorKind::usage, {"{prompt:}"}, [] { check_pattern("{prompt:}.png"); });
  expect_error(ErrorKind::usage, {"brace"}, [] { check_pattern("{seed.png"); });
  expect_error(ErrorKind::usage, {"brace"}, [] { check_pattern("seed}.png"); });
  expect_error(ErrorKind::usage, {".png, .jpg", "{seed}"}, [] { check_pattern("{seed}"); });
  check_pattern("out/{seed}-{prompt:40}.JPG");
}

}  // namespace
}  // namespace hayate::cli
