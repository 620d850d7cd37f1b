// Settings as AUTOMATIC1111 writes them: ours read back whole, its own read as it reads them.
#include "pipeline/infotext.h"

#include <gmock/gmock.h>

#include <map>

namespace hayate {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

Infotext again(const Picture& picture, const std::string& model = "m") {
  return parse_infotext(infotext({.steps = 20}, picture, {.model = model, .scheduler = "Euler", .width = 64, .height = 32}));
}

TEST(Infotext, what_is_written_is_read) {
  const Infotext info = again({.prompt = "a castle", .prompt_2 = "a, b", .negative_prompt = "fog", .seed = 7, .guidance = 6.5f});
  EXPECT_EQ(info.prompt, "a castle");
  EXPECT_EQ(info.negative_prompt, "fog");
  EXPECT_EQ(info.settings, (Settings{{"Steps", "20"},
                                     {"Sampler", "Euler"},
                                     {"CFG scale", "6.5"},
                                     {"Seed", "7"},
                                     {"Size", "64x32"},
                                     {"Model", "m"},
                                     {"Prompt 2", "a, b"},
                                     {"RNG", "CPU"},
                                     {"Version", "hayate " + version()}}));
}

TEST(Infotext, no_prompt_can_pass_for_settings) {
  for (std::string text :
       {"", " two  spaces ", "Steps: 1, Sampler: x, Seed: 9", "line\nSteps: 1, Sampler: x, Seed: 9\n", "\n\n", "a\n\n\nb", "\"quoted\"",
        "(a:1.2), [b]", "\\\\", "caf\xc3\xa9 \xf0\x9f\x8c\x80", "a\tb\r\nc", "<lora:x:1>", "Negative prompt", "\xff\xfe"})
    for (std::string negative : {"", "Steps: 1, Sampler: x, Seed: 9", "Negative prompt: x", " y\nz "}) {
      const Infotext info = again({.prompt = text, .negative_prompt = negative});
      EXPECT_EQ(info.prompt, text);
      EXPECT_EQ(info.negative_prompt, negative) << text;
      EXPECT_EQ(info.settings.size(), 8u) << text;
    }
}

TEST(Infotext, values_are_quoted_where_they_must_be) {
  for (std::string value : {"a, b: c", "\"", "\"a\"", "a\nb", "\\", "a\\\"b, c", "", " x", ", Seed: 5", "\xe7\x96\xbe"}) {
    const Infotext info = again({.prompt = "p"}, value);
    EXPECT_EQ(info.prompt, "p");
    EXPECT_THAT(info.settings, testing::Contains(testing::Pair("Model", value)));
    EXPECT_THAT(info.settings, testing::Contains(testing::Pair("Seed", "0")));
  }
}

TEST(Infotext, as_automatic1111_writes_it) {
  const Infotext info = parse_infotext(
      "masterpiece, (castle:1.3)\nsecond line\nNegative prompt: blurry,\nlowres\n"
      "Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 965400086, Size: 512x512, Model hash: 45dee52b, Lora hashes: \"foo: 1a2b, bar: "
      "3c\", Hashes: {\"model\": \"45dee52b\"}, junk, Version: v1.9.4\r\n");
  EXPECT_EQ(info.prompt, "masterpiece, (castle:1.3)\nsecond line");
  EXPECT_EQ(info.negative_prompt, "blurry,\nlowres");
  EXPECT_EQ(info.settings, (Settings{{"Steps", "20"},
                                     {"Sampler", "DPM++ 2M Karras"},
                                     {"CFG scale", "7"},
                                     {"Seed", "965400086"},
                                     {"Size", "512x512"},
                                     {"Model hash", "45dee52b"},
                                     {"Lora hashes", "foo: 1a2b, bar: 3c"},
                                     {"Hashes", "{\"model\": \"45dee52b\"}"},
                                     {"Version", "v1.9.4"}}));
}

TEST(Infotext, text_without_settings_is_all_prompt) {
  EXPECT_EQ(parse_infotext("a castle: by night, wide angle: 35 mm").prompt, "a castle: by night, wide angle: 35 mm");
  EXPECT_EQ(parse_infotext("").prompt, "");
  const Infotext info = parse_infotext("Negative prompt: x\ny");
  EXPECT_EQ(info.prompt, "");
  EXPECT_EQ(info.negative_prompt, "x\ny");
}

TEST(Infotext, hostile_text_takes_no_time) {
  std::string keys, quotes = "Steps: ", backslashes = "Steps: \"";
  for (int i = 0; i < 1000000; ++i) keys += "a ", quotes += "\", ", backslashes += '\\';
  for (const std::string& text : {keys, keys + ":", quotes, backslashes}) parse_infotext(text);
}

}  // namespace
}  // namespace hayate
