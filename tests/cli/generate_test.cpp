// hayate generate with the built-in model: files whole or absent, what is printed where, signals, exit statuses.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/run_program.h"
#include "core/scratch_folder.h"
#include "hayate/hayate.h"

namespace hayate {
namespace {

using nlohmann::json;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

struct Png {
  uint32_t width = 0, height = 0;
  std::string parameters;
  bool whole = false;  // ends with IEND and nothing after
};

Png parse_png(const std::string& bytes) {
  Png png;
  auto number = [&](size_t at) {
    uint32_t n = 0;
    for (size_t i = 0; i < 4; ++i) n = n << 8 | uint8_t(bytes[at + i]);
    return n;
  };
  for (size_t at = 8; at + 12 <= bytes.size();) {
    size_t length = number(at);
    std::string type = bytes.substr(at + 4, 4), data = bytes.substr(at + 8, length);
    at += 12 + length;
    if (type == "IHDR") png.width = number(16), png.height = number(20);
    if (type == "tEXt" && data.starts_with(std::string("parameters\0", 11))) png.parameters = data.substr(11);
    png.whole = type == "IEND" && at == bytes.size();
  }
  return png;
}

class Generate : public testing::Test {
 protected:
  ScratchFolder scratch;

  // The smallest picture that still takes every path.
  Outcome generate(std::vector<std::string> arguments, How how = {}) {
    std::vector<std::string> all = {"generate", "-W", "64", "-H", "64"};
    bool has_steps = std::find(arguments.begin(), arguments.end(), "--steps") != arguments.end();
    if (!has_steps) all.insert(all.end(), {"--steps", "2"});
    all.insert(all.end(), arguments.begin(), arguments.end());
    how.folder = scratch / "";
    return run_program(all, how);
  }
  Png png(const std::string& name) { return parse_png(slurp(scratch / name)); }
};

TEST_F(Generate, WritesTheWholePictureWithItsSettings) {
  Outcome o = run_program({"generate", "a castle on a hill", "--seed", "7", "--negative", "fog", "-W", "128", "-H", "64", "--steps", "2"},
                          {.folder = scratch / ""});
  ASSERT_EQ(o.status, 0) << o.err;
  EXPECT_EQ(o.out, "hayate.png\n");
  Png p = png("hayate.png");
  EXPECT_TRUE(p.whole);
  EXPECT_EQ(p.width, 128u);
  EXPECT_EQ(p.height, 64u);
  EXPECT_TRUE(p.parameters.starts_with("a castle on a hill\nNegative prompt: fog\nSteps: 2, ")) << p.parameters;
  EXPECT_TRUE(contains(p.parameters, "Seed: 7, Size: 128x64")) << p.parameters;
  EXPECT_EQ(scratch.entries().size(), 1u) << "temporary files were left";
}

TEST_F(Generate, StartsFromAPicture) {
  ASSERT_EQ(generate({"a castle", "--seed", "7", "--quiet", "-o", "first.png"}).status, 0);
  Outcome o = run_program({"generate", "a house", "--seed", "7", "--steps", "4", "--strength", "0.5", "-i", "first.png", "-o", "second.png", "--quiet"},
                          {.folder = scratch / ""});
  ASSERT_EQ(o.status, 0) << o.err;
  Png p = png("second.png");
  EXPECT_EQ(p.width, 64u);  // the first picture's
  EXPECT_TRUE(contains(p.parameters, "Denoising strength: 0.5")) << p.parameters;
  o = run_program({"generate", "a house", "--strength", "0.1", "--steps", "4", "-i", "first.png", "-o", "third.png"}, {.folder = scratch / ""});
  EXPECT_NE(o.status, 0);
  EXPECT_TRUE(contains(o.err, "strength 0.1 of 4 steps")) << o.err;
}

TEST_F(Generate, NamesFollowAPatternIntoANewFolder) {
  Outcome o = generate({"a castle", "../a house", "--seed", "7", "--quiet", "-o", "out/{seed}-{prompt:12}-{width}.png"});
  EXPECT_EQ(o.status, 0) << o.err;
  EXPECT_EQ(o.out, "out/7-a-castle-64.png\nout/8-a-house-64.png\n");
  EXPECT_TRUE(png("out/8-a-house-64.png").whole);
}

TEST_F(Generate, TheNameChoosesTheFormat) {
  ASSERT_EQ(generate({"a castle", "--seed", "7", "--quiet", "-o", "a.jpg", "--quality", "20"}).status, 0);
  ASSERT_EQ(generate({"a castle", "--seed", "7", "--quiet", "-o", "a.WebP"}).status, 0);
  EXPECT_TRUE(slurp(scratch / "a.jpg").starts_with("\xff\xd8\xff"));
  EXPECT_EQ(slurp(scratch / "a.WebP").substr(8, 4), "WEBP");
}

TEST_F(Generate, AProgressLineAndTimesGoToStandardError) {
  Outcome o = generate({"a castle"});
  ASSERT_EQ(o.status, 0) << o.err;
  EXPECT_TRUE(contains(o.err, "step 1/2\n")) << o.err;
  EXPECT_TRUE(contains(o.err, "step 2/2")) << o.err;
  for (const char* part : {"64x64, 2 steps, rung ", "load ", "compile ", "text ", "denoise ", "decode ", "total "})
    EXPECT_TRUE(contains(o.err, part)) << part << o.err;
  EXPECT_FALSE(contains(o.err, "\r") || contains(o.err, "\x1b")) << "terminal codes in a pipe";
}

TEST_F(Generate, QuietPrintsTheFileNameOnly) {
  Outcome o = generate({"a castle", "--quiet", "-o", "quiet.png"});
  EXPECT_EQ(o.status, 0);
  EXPECT_EQ(o.err, "");
  EXPECT_EQ(o.out, "quiet.png\n");
}

TEST_F(Generate, JsonIsOneObject) {
  Outcome o = generate({"a \"castle\"", "--json", "--seed", "18446744073709551615"});
  ASSERT_EQ(o.status, 0) << o.err;
  json j = json::parse(o.out);
  EXPECT_EQ(j["pictures"][0]["file"], "hayate.png");
  EXPECT_EQ(j["pictures"][0]["seed"], UINT64_MAX);
  EXPECT_EQ(j["pictures"][0]["width"], 64);
  EXPECT_EQ(j["steps"], 2);
  EXPECT_GT(j["seconds"]["total"], 0);
  EXPECT_TRUE(j["rung"].is_string());
}

TEST_F(Generate, SeveralPicturesAreNumberedAndCountTheirSeedsUp) {
  Outcome o = generate({"a castle", "a [red, blue] house", "--batch", "2", "--seed", "5", "-o", "p.png", "--json"});
  ASSERT_EQ(o.status, 0) << o.err;
  json pictures = json::parse(o.out)["pictures"];
  ASSERT_EQ(pictures.size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(pictures[i]["file"], "p-" + std::to_string(i + 1) + ".png");
    EXPECT_EQ(pictures[i]["seed"], 5 + i);
    EXPECT_EQ(pictures[i]["prompt"], i < 2 ? "a castle" : "a [red, blue] house");
    EXPECT_TRUE(png(pictures[i]["file"]).whole);
  }
  EXPECT_NE(slurp(scratch / "p-1.png"), slurp(scratch / "p-2.png"));
}

TEST_F(Generate, SeveralSeedsMakeSeveralPictures) {
  Outcome o = generate({"a castle", "--seed", "9", "--seed", "4", "--quiet"});
  EXPECT_EQ(o.out, "hayate-1.png\nhayate-2.png\n") << o.err;
  EXPECT_TRUE(contains(png("hayate-2.png").parameters, "Seed: 4,"));
}

TEST_F(Generate, APictureInABatchEqualsTheSameOneAlone) {
  ASSERT_EQ(generate({"a castle", "a red house", "--seed", "3", "--rung", "fp32", "-o", "both.png"}).status, 0);
  ASSERT_EQ(generate({"a red house", "--seed", "4", "--rung", "fp32", "-o", "alone.png"}).status, 0);
  // Sums of another batch size may be split otherwise, which a float32 picture shows as one step of 255 at most.
  const Image both = read_image(scratch / "both-2.png").image, alone = read_image(scratch / "alone.png").image;
  ASSERT_EQ(both.rgb.size(), alone.rgb.size());
  int largest = 0;
  for (size_t i = 0; i < both.rgb.size(); ++i) largest = std::max(largest, std::abs(both.rgb[i] - alone.rgb[i]));
  EXPECT_LE(largest, 1);
}

TEST_F(Generate, WordsThatAreSubcommandsAndDashesCanBePrompts) {
  EXPECT_EQ(generate({"compare", "--quiet"}).out, "hayate.png\n");
  EXPECT_EQ(generate({"--quiet", "--", "--a prompt that begins with dashes"}).out, "hayate.png\n");
  EXPECT_TRUE(png("hayate.png").parameters.starts_with("--a prompt that begins with dashes\n"));
  EXPECT_EQ(generate({"[a, b]", "--quiet"}).out, "hayate.png\n");
  EXPECT_TRUE(png("hayate.png").parameters.starts_with("[a, b]\n"));
  EXPECT_EQ(generate({"", "--quiet"}).out, "hayate.png\n");
}

TEST_F(Generate, SettingsChangeThePicture) {
  auto draw = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"a castle on a hill", "--steps", "3", "--rung", "fp32", "--quiet"});
    Outcome o = generate(more);
    EXPECT_EQ(o.status, 0) << o.err;
    std::string bytes = slurp(scratch / "hayate.png");
    return bytes.substr(bytes.find("IDAT"));  // without the infotext
  };
  std::string plain = draw({});
  EXPECT_EQ(draw({}), plain);
  EXPECT_EQ(draw({"--noise", "torch-cpu", "--noise-batch", "per-image", "--guidance", "5"}), plain);
  for (std::vector<std::string> more : std::initializer_list<std::vector<std::string>>{{"--seed", "1"},
                                                                                       {"--guidance", "2"},
                                                                                       {"--guidance-rescale", "0.7"},
                                                                                       {"--negative", "a red house"},
                                                                                       {"--prompt-2", "a lighthouse"},
                                                                                       {"--negative-2", "a lighthouse"},
                                                                                       {"--spacing", "linspace"},
                                                                                       {"--spacing", "karras"},

                                                                                       {"--noise", "torch-cpu-bf16"},
                                                                                       {"--original-size", "32x256"},
                                                                                       {"--crop", "0,100"},
                                                                                       {"--target-size", "512x64"},
                                                                                       {"--negative-crop", "0,100"}})
    EXPECT_NE(draw(more), plain) << more[0];
}

TEST_F(Generate, WhatTheLibraryRefusesIsAUsageErrorToo) {
  struct Case {
    std::vector<std::string> arguments;
    const char* message;
  };
  for (const Case& c : {Case{{"x", "--device", "abacus"}, "abacus"}, Case{{"x", "--clip-skip", "60"}, "clip_skip"}, Case{{"bad \xff bytes"}, "UTF-8"},
                        Case{{"x", "--dump", "no_such_value", "--dump-to", "d.safetensors"}, "no_such_value"}}) {
    Outcome o = generate(c.arguments);
    EXPECT_EQ(o.status, 2) << c.message;
    EXPECT_TRUE(contains(o.err, c.message)) << o.err;
  }
  EXPECT_EQ(scratch.entries().size(), 0u);
}

TEST_F(Generate, DumpsOfTwoRungsCanBeCompared) {
  auto dump = [&](const char* rung, const char* pattern, const char* file) {
    Outcome o = generate({"a castle", "--rung", rung, "--dump", pattern, "--dump-to", file, "--quiet"});
    EXPECT_EQ(o.status, 0) << o.err;
  };
  dump("fp32", "mid_block*", "a.safetensors");
  dump("fp32", "*", "b.safetensors");
  dump("bf16", "*", "c.safetensors");
  Outcome same = run_program({"compare", scratch / "a.safetensors", scratch / "b.safetensors", "--tolerance", "0"});
  EXPECT_EQ(same.status, 0) << same.out << same.err;
  Outcome other = run_program({"compare", scratch / "c.safetensors", scratch / "b.safetensors"});
  EXPECT_EQ(other.status, 1);
  EXPECT_TRUE(contains(other.out, "\nfirst: text_encoder/")) << "in the order of computation: " << other.out;
}

TEST_F(Generate, PrintsTheProgramAfterEveryPass) {
  Outcome o = generate({"a castle", "--print-program", "programs", "--quiet"});
  ASSERT_EQ(o.status, 0) << o.err;
  EXPECT_TRUE(contains(slurp(scratch / "programs/unet/00-record.txt"), "mid_block.attentions.0.proj_in"));
}

TEST_F(Generate, CheaperStepsAreAskedForAndNamed) {
  Outcome o = generate({"a castle", "--steps", "6", "--deepcache", "3,2", "--deepcache-center", "3,1.4", "--guidance-interval", "0,0.5", "--quiet"});
  ASSERT_EQ(o.status, 0) << o.err;
  const std::string infotext = read_image(scratch / "hayate.png").infotext;
  EXPECT_TRUE(contains(infotext, "DeepCache interval: 3, DeepCache branch: 2, DeepCache center: 3, DeepCache power: 1.4, Guidance interval: \"0, 0.5\"")) << infotext;
  for (auto [option, value] : {std::pair("--deepcache", "0"), {"--deepcache", "2,"}, {"--deepcache", "2,1,1"}, {"--deepcache", "x"}, {"--deepcache", "2,99"},
                               {"--deepcache-center", "-1"}, {"--deepcache-center", "3,0.5"}, {"--guidance-interval", "0.5"}, {"--guidance-interval", "0,2"},
                               {"--guidance-interval", "0.6,0.2"}, {"--guidance-interval", "nan,1"}}) {
    o = generate({"a castle", option, value, "--quiet"});
    EXPECT_EQ(o.status, 2) << option << " " << value;
    EXPECT_NE(o.err, "");
  }
}

TEST_F(Generate, AMissingModelIsNamed) {
  Outcome o = generate({"x", "-m", "no/such/model"});
  EXPECT_EQ(o.status, 3);
  EXPECT_TRUE(contains(o.err, "no/such/model")) << o.err;
  EXPECT_EQ(scratch.entries().size(), 0u);
}

TEST_F(Generate, ASizeThatTheModelCannotDrawIsRefused) {
  Outcome o = run_program({"generate", "x", "-W", "100", "-H", "64"}, {.folder = scratch / ""});
  EXPECT_EQ(o.status, 2);
  EXPECT_TRUE(contains(o.err, "100")) << o.err;
}

TEST_F(Generate, AnOutputThatCannotBeWrittenIsFoundBeforeTheWork) {
  Outcome o = generate({"x", "-o", "no/such/folder/a.png"});
  EXPECT_EQ(o.status, 5);
  EXPECT_FALSE(contains(o.err, "step")) << o.err;
  std::filesystem::create_directory(scratch / "folder.png");
  EXPECT_EQ(generate({"x", "-o", "folder.png"}).status, 5);
  EXPECT_EQ(generate({"x", "--dump", "*", "--dump-to", "no/such/d.safetensors"}).status, 5);
}

TEST_F(Generate, WhatAFormatCannotHoldIsFoundBeforeTheWork) {
  Outcome o = run_program({"generate", "x", "-W", "16384", "-H", "8", "--steps", "1", "-o", "a.webp"}, {.folder = scratch / ""});
  EXPECT_EQ(o.status, 4);
  EXPECT_TRUE(contains(o.err, "a.webp: a picture of 16384x8 pixels; a WebP has at most 16383 a side") && !contains(o.err, "step")) << o.err;
  o = generate({std::string(65400, 'x'), "-o", "a.jpg"});
  EXPECT_EQ(o.status, 4);
  EXPECT_TRUE(contains(o.err, "a.jpg: the settings of the picture") && !contains(o.err, "step")) << o.err;
  EXPECT_EQ(scratch.entries().size(), 0u);
}

TEST_F(Generate, FullStandardOutputStillLeavesThePicture) {
  Outcome o = generate({"a castle"}, {.out_to = "/dev/full"});
  EXPECT_EQ(o.status, 5);
  EXPECT_TRUE(png("hayate.png").whole);
}

TEST_F(Generate, NobodyReadingStandardErrorIsNoReasonToStop) {
  Outcome o = generate({"a castle"}, {.err_closed = true});
  EXPECT_EQ(o.status, 0);
  EXPECT_TRUE(png("hayate.png").whole);
}

// Waits until the program wrote its first step, then sends a signal.
void interrupt_after_first_step(int pid, const std::string& log, int signal) {
  for (int i = 0; i < 3000 && !contains(slurp(log), "step 1/"); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  kill(pid, signal);
}

class Interrupted : public Generate, public testing::WithParamInterface<int> {};

TEST_P(Interrupted, LeavesNoFileAndSaysSoInItsStatus) {
  std::string before = scratch.write("picture.png", "an older picture");
  Outcome o = generate({"a castle", "--steps", "1000", "-o", "picture.png"},
                       {.err_to = scratch / "log", .meanwhile = [&](int pid) { interrupt_after_first_step(pid, scratch / "log", GetParam()); }});
  EXPECT_EQ(o.status, 128 + GetParam());
  EXPECT_EQ(slurp(before), "an older picture");
  EXPECT_EQ(scratch.entries().size(), 2u) << "picture.png and the log";
  EXPECT_TRUE(contains(slurp(scratch / "log"), "hayate: cancelled after step")) << slurp(scratch / "log");
}
INSTANTIATE_TEST_SUITE_P(Cli, Interrupted, testing::Values(SIGINT, SIGTERM));

TEST_F(Generate, ATerminalGetsABar) {
  const auto o = run_on_terminal({"generate", "a castle", "-W", "64", "-H", "64", "--steps", "3"}, scratch / "");
  if (!o) GTEST_SKIP() << "no pseudoterminal to be had";
  EXPECT_EQ(o->status, 0);
  EXPECT_TRUE(contains(o->out, "\r\x1b[K1/3 [")) << o->out;
  EXPECT_TRUE(contains(o->out, "\r\x1b[K3/3 [")) << o->out;
  EXPECT_TRUE(contains(o->out, " it/s, 0:00 left") || contains(o->out, " s/it, 0:00 left")) << o->out;
  EXPECT_TRUE(contains(o->out, "\r\x1b[K64x64, 3 steps")) << "the bar is wiped before the report: " << o->out;
}

}  // namespace
}  // namespace hayate
