// Help texts, and what is said to a wrong command line: exit status 2, a message that names the option, nothing on standard output.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "cli/run_program.h"
#include "hayate/hayate.h"

namespace hayate {
namespace {

using testing::TestWithParam;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Help, BeginsWithAnExampleAndExplainsExitStatuses) {
  for (std::vector<std::string> arguments : {std::vector<std::string>{"--help"}, {"generate", "--help"}}) {
    Outcome o = run_program(arguments);
    EXPECT_EQ(o.status, 0);
    EXPECT_EQ(o.err, "");
    size_t example = o.out.find("hayate generate \"a castle on a hill at night\""), usage = o.out.find("Usage:");
    EXPECT_LT(example, usage);
    EXPECT_TRUE(contains(o.out, "130 interrupted")) << o.out;
  }
}

TEST(Help, NamesEveryOption) {
  std::string help = run_program({"generate", "--help"}).out;
  std::istringstream options(
      "--prompts-file --prompt-syntax --negative --prompt-2 --negative-2 --seed --width --height --batch --steps --guidance --guidance-rescale "
      "--clip-skip --scheduler --spacing --eta --s-noise --s-churn --s-tmin --s-tmax --noise --noise-batch --original-size --crop --target-size "
      "--negative-original-size --negative-crop --negative-target-size --model --unet --vae --text-encoder --text-encoder-2 --lora --output --quality "
      "--rung --device --json --quiet --dump --dump-to --print-program --memory-limit --vae-tiling --lora-folder --deepcache --deepcache-center "
      "--guidance-interval --hires --hires-strength --hires-steps --hires-upscaler --seamless --mask-content --mimic-guidance --embedding --tiny-decoder");
  for (std::string option; options >> option;) EXPECT_TRUE(contains(help, "\n  " + option) || contains(help, ", " + option + " ")) << option;
}

TEST(Help, LinesFitATerminal) {
  for (const char* command : {"generate", "grid", "serve", "compare", "inspect", "convert", "bench", "devices", "rungs", "schedulers", "spacings", "completion", "man", ""}) {
    std::istringstream help(run_program(*command ? std::vector<std::string>{command, "--help"} : std::vector<std::string>{"--help"}).out);
    for (std::string line; std::getline(help, line);) EXPECT_LE(line.size(), 80u) << line;
  }
}

TEST(Help, NothingTypedIsAnsweredWithAShortHelp) {
  Outcome o = run_program({});
  EXPECT_EQ(o.status, 0);
  EXPECT_TRUE(contains(o.out, "\n  generate ")) << o.out;
  EXPECT_LT(o.out.size(), run_program({"--help"}).out.size());
}

TEST(Help, DevicesTellTheProcessorAndItsMemory) {
  Outcome o = run_program({"devices"});
  EXPECT_EQ(o.status, 0) << o.err;
  EXPECT_TRUE(contains(o.out, "\ncpu ")) << o.out;
  nlohmann::json cpu = nlohmann::json::parse(run_program({"devices", "--json"}).out)["devices"][0];
  EXPECT_EQ(cpu["name"], "cpu");
  EXPECT_GE(cpu["cores"], 1);
  EXPECT_GT(cpu["memory_available"], 1 << 20);
  EXPECT_LE(cpu["memory_available"], cpu["memory"]);
}

TEST(Help, ListsAreThereForProgramsToo) {
  EXPECT_TRUE(contains(run_program({"rungs", "--json"}).out, "\"name\": \"fp32\""));
  EXPECT_TRUE(contains(run_program({"schedulers", "--json"}).out, "\"euler\""));
  EXPECT_TRUE(std::regex_search(run_program({"schedulers"}).out, std::regex("(^|\n)euler_ancestral +[^\n]*SDXL Turbo")));
}

TEST(Help, VersionNamesTheRevision) {
  const std::string out = run_program({"--version"}).out, begin = "hayate " + std::string(HAYATE_VERSION) + " (";
  ASSERT_TRUE(out.starts_with(begin) && out.ends_with(")\n")) << out;
  EXPECT_TRUE(std::regex_match(out.substr(begin.size(), out.size() - begin.size() - 2), std::regex("[0-9a-f]{12}(-dirty)?|unknown"))) << out;
}

TEST(Help, RungsListsTheLadder) {
  Outcome o = run_program({"rungs"});
  EXPECT_EQ(o.status, 0);
  for (const char* rung : {"fp32 ", "bf16 ", "attention ", "compile ", "projections "}) EXPECT_TRUE(contains(o.out, rung)) << rung;
}

struct Wrong {
  const char* name;
  std::vector<std::string> arguments;  // after `hayate generate x`, unless they begin with "hayate"
  const char* message;                 // what standard error must say
};
void PrintTo(const Wrong& w, std::ostream* out) { *out << w.name; }

class WrongUsage : public TestWithParam<Wrong> {};

TEST_P(WrongUsage, IsRefused) {
  std::vector<std::string> arguments = GetParam().arguments;
  if (!arguments.empty() && arguments[0] == "hayate")
    arguments.erase(arguments.begin());
  else
    arguments.insert(arguments.begin(), {"generate", "x"});
  Outcome o = run_program(arguments);
  EXPECT_EQ(o.status, 2) << o.err;
  EXPECT_TRUE(contains(o.err, GetParam().message)) << o.err;
  EXPECT_EQ(o.out, "");
}

const Wrong wrong[] = {
    {"unknown_subcommand", {"hayate", "draw", "x"}, "there is no subcommand draw."},
    {"misspelt_subcommand", {"hayate", "genrate", "x"}, "there is no subcommand genrate. Did you mean generate?"},
    {"misspelt_flag", {"--setps", "3"}, "there is no option --setps of hayate generate. Did you mean --steps?"},
    {"misspelt_flag_with_value", {"--setps=3"}, "there is no option --setps of hayate generate. Did you mean --steps?"},
    {"no_prompt", {"hayate", "generate"}, "Try: hayate generate \"a castle on a hill at night\""},
    {"unknown_flag", {"--colour", "red"}, "there is no option --colour of hayate generate."},
    {"value_missing", {"--steps"}, "--steps"},
    {"twice", {"--steps", "2", "--steps", "3"}, "--steps"},
    {"steps_0", {"--steps", "0"}, "--steps: expected a whole number from 1 to 1000, got \"0\""},
    {"steps_negative", {"--steps", "-3"}, "--steps: expected"},
    {"steps_huge", {"--steps", "99999999999999999999"}, "--steps: expected"},
    {"steps_fraction", {"--steps", "2.5"}, "--steps: expected"},
    {"steps_word", {"--steps", "many"}, "got \"many\""},
    {"steps_hex", {"--steps", "0x10"}, "--steps: expected"},
    {"steps_empty", {"--steps", ""}, "--steps: expected"},
    {"seed_negative", {"--seed", "-1"}, "--seed: expected"},
    {"seed_huge", {"--seed", "18446744073709551616"}, "--seed: expected"},
    {"seeds_do_not_match", {"--seed", "1", "--seed", "2", "--batch", "3"}, "--seed: given 2 times for 3 pictures"},
    {"guidance_nan", {"--guidance", "nan"}, "--guidance: expected"},
    {"guidance_infinite", {"--guidance", "inf"}, "--guidance: expected"},
    {"guidance_negative", {"--guidance", "-1"}, "--guidance: expected"},
    {"guidance_huge", {"--guidance", "1e30"}, "--guidance: expected"},
    {"guidance_unit", {"--guidance", "5x"}, "--guidance: expected"},
    {"rescale_above_1", {"--guidance-rescale", "1.1"}, "--guidance-rescale: expected"},
    {"rescale_nan", {"--guidance-rescale", "nan"}, "--guidance-rescale: expected"},
    {"width_0", {"-W", "0"}, "--width: expected"},
    {"width_huge", {"-W", "1000000"}, "--width: expected"},
    {"height_negative", {"-H", "-64"}, "--height: expected"},
    {"batch_0", {"--batch", "0"}, "--batch: expected"},
    {"batch_huge", {"--batch", "65"}, "--batch: expected"},
    {"prompt_syntax", {"--prompt-syntax", "a111"}, "--prompt-syntax: expected one of a1111, comfy, diffusers, got"},
    {"clip_skip_negative", {"--clip-skip", "-1"}, "--clip-skip: expected"},
    {"clip_skip_huge", {"--clip-skip", "65"}, "--clip-skip: expected"},
    {"scheduler", {"--scheduler", "runge-kutta"}, "no scheduler is named \"runge-kutta\"; there are: euler, "},
    {"scheduler_slip", {"--scheduler", "DMP++ 2M"}, "did you mean dpmpp_2m?"},
    {"spacing", {"--spacing", "kerras"}, "no spacing is named \"kerras\"; did you mean karras?"},
    {"eta", {"--eta", "1.5"}, "--eta: expected a number from 0 to 1"},
    {"eta_of_euler", {"--scheduler", "euler", "--eta", "0.5"}, "the scheduler euler has no eta; these have: euler_ancestral"},
    {"churn_nan", {"--s-churn", "nan"}, "--s-churn: expected"},
    {"noise", {"--noise", "pink"}, "--noise: expected one of torch-cpu"},
    {"noise_batch", {"--noise-batch", "none"}, "--noise-batch: expected one of per-image, shared"},
    {"size_one_number", {"--original-size", "1024"}, "--original-size: expected WIDTHxHEIGHT"},
    {"size_zero", {"--original-size", "0x64"}, "--original-size: expected"},
    {"size_cut_off", {"--target-size", "64x"}, "--target-size: expected"},
    {"size_negative_half", {"--negative-target-size", "axb"}, "--negative-target-size: expected"},
    {"negative_original", {"--negative-original-size", "1x1x1"}, "--negative-original-size: expected"},
    {"crop_form", {"--crop", "1x2"}, "--crop: expected LEFT,TOP"},
    {"crop_negative", {"--crop", "-1,0"}, "--crop: expected"},
    {"negative_crop", {"--negative-crop", "1"}, "--negative-crop: expected LEFT,TOP"},
    {"model_empty", {"--model", ""}, "--model: expected a folder"},
    {"output_kind", {"-o", "picture.gif"}, "--output: expected a name that ends in .png, .jpg, .jpeg, .webp, got"},
    {"quality_0", {"--quality", "0"}, "--quality: expected"},
    {"quality_huge", {"--quality", "101"}, "--quality: expected"},
    {"output_placeholder", {"-o", "{sed}.png"}, "there is no placeholder {sed}; there are {seed}, {index}"},
    {"output_empty", {"-o", ""}, "--output: expected"},
    {"rung", {"--rung", "warp"}, "--rung: expected one of fp32, "},
    {"vae_tiling", {"--vae-tiling", "maybe"}, "--vae-tiling: "},
    {"vae_tiling_and_a_dump", {"--vae-tiling", "on", "--dump", "*", "--dump-to", "/tmp/never-written.safetensors"}, "vae_tiling is on"},
    {"memory_0", {"--memory-limit", "0"}, "--memory-limit: expected a size like 8GiB"},
    {"memory_negative", {"--memory-limit", "-8G"}, "--memory-limit: expected"},
    {"memory_unit", {"--memory-limit", "8 apples"}, "got \"8 apples\""},
    {"memory_huge", {"--memory-limit", "99999999999G"}, "--memory-limit: expected"},
    {"dump_alone", {"--dump", "*"}, "--dump-to"},
    {"dump_to_alone", {"--dump-to", "d.safetensors"}, "--dump"},
    {"inspect_nothing", {"hayate", "inspect"}, "PATH is required"},
    {"inspect_empty", {"hayate", "inspect", ""}, "PATH: expected a file or folder"},
    {"compare_one_file", {"hayate", "compare", "a"}, "two dumps A and B, or --reference"},
    {"compare_dumps_and_reference", {"hayate", "compare", "a", "b", "--reference", "c"}, "two dumps A and B, or --reference"},
    {"compare_tolerance_negative", {"hayate", "compare", "a", "b", "--tolerance", "-1"}, "--tolerance: expected"},
    {"compare_tolerance_nan", {"hayate", "compare", "a", "b", "--tolerance", "nan"}, "--tolerance: expected"},
};
INSTANTIATE_TEST_SUITE_P(Cli, WrongUsage, testing::ValuesIn(wrong), [](const auto& info) { return info.param.name; });

TEST(Help, OutputThatIsFullIsAnError) {
  EXPECT_EQ(run_program({"--help"}, {.out_to = "/dev/full"}).status, 5);
  EXPECT_EQ(run_program({"rungs"}, {.out_to = "/dev/full"}).status, 5);
}

}  // namespace
}  // namespace hayate
