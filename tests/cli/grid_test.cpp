// hayate grid with the built-in model: cells are what generate draws, labels are legible, errors come first and name the cell.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/run_program.h"
#include "core/scratch_folder.h"
#include "hayate/hayate.h"

namespace hayate {
namespace {

using nlohmann::json;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

Image cut(const Image& sheet, int left, int top, int width, int height) {
  Image part{.width = width, .height = height, .rgb = {}};
  for (int y = 0; y < height; ++y) {
    const auto row = sheet.rgb.begin() + (ptrdiff_t(top + y) * sheet.width + left) * 3;
    part.rgb.insert(part.rgb.end(), row, row + ptrdiff_t(width) * 3);
  }
  return part;
}

int dark_pixels(const Image& image) {
  int count = 0;
  for (size_t i = 0; i < image.rgb.size(); i += 3) count += image.rgb[i] < 100;
  return count;
}

class Grid : public testing::Test {
 protected:
  ScratchFolder scratch;

  Outcome run(const char* command, std::vector<std::string> arguments) {
    std::vector<std::string> all = {command, "-W", "64", "-H", "64", "--json"};
    if (std::ranges::find(arguments, "--steps") == arguments.end()) all.insert(all.end(), {"--steps", "2"});
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run_program(all, {.folder = scratch / ""});
  }
  Outcome grid(std::vector<std::string> arguments) { return run("grid", std::move(arguments)); }

  // The cells of what was drawn, row by row.
  std::vector<Image> cells(const json& told) {
    const Image sheet = read_image(scratch / told["file"]).image;
    std::vector<Image> all;
    for (const json& cell : told["pictures"]) all.push_back(cut(sheet, cell["left"], cell["top"], cell["width"], cell["height"]));
    return all;
  }
  Image generated(const std::vector<std::string>& arguments) {
    const Outcome o = run("generate", arguments);
    EXPECT_EQ(o.status, 0) << o.err;
    return read_image(scratch / "hayate.png").image;
  }
  void expect_cells(const std::vector<std::string>& arguments, const std::vector<std::vector<std::string>>& alone) {
    const Outcome o = grid(arguments);
    ASSERT_EQ(o.status, 0) << o.err;
    const json told = json::parse(o.out);
    const std::vector<Image> drawn = cells(told);
    ASSERT_EQ(drawn.size(), alone.size());
    for (size_t i = 0; i < alone.size(); ++i) {
      EXPECT_EQ(drawn[i].rgb, generated(alone[i]).rgb) << told["pictures"][i];
      for (size_t j = 0; j < i; ++j) EXPECT_NE(drawn[i].rgb, drawn[j].rgb) << i << " and " << j;
    }
  }
};

TEST_F(Grid, CellsAreWhatGenerateDraws) {
  expect_cells({"a castle", "--seed", "7", "--x", "steps=2-3", "--y", "scheduler=euler,euler_ancestral"},
               {{"a castle", "--seed", "7", "--steps", "2", "--scheduler", "euler"},
                {"a castle", "--seed", "7", "--steps", "3", "--scheduler", "euler"},
                {"a castle", "--seed", "7", "--steps", "2", "--scheduler", "euler_ancestral"},
                {"a castle", "--seed", "7", "--steps", "3", "--scheduler", "euler_ancestral"}});
}

TEST_F(Grid, AnAxisOfRungsHasAPipelineForEach) {
  expect_cells({"a castle", "--x", "rung=fp32,bf16", "--y", "seed=1,2"}, {{"a castle", "--rung", "fp32", "--seed", "1"},
                                                                          {"a castle", "--rung", "bf16", "--seed", "1"},
                                                                          {"a castle", "--rung", "fp32", "--seed", "2"},
                                                                          {"a castle", "--rung", "bf16", "--seed", "2"}});
}

TEST_F(Grid, LoraWeightsAndWordsAreAxes) {
  const std::string lora = HAYATE_SOURCE_DIR "/models/builtin-lcm.safetensors";
  expect_cells({"a castle by day", "--negative", "no day", "--lora", lora, "--x", "lora-weight=0.5-1:0.5", "--y", "words=day,night"},
               {{"a castle by day", "--negative", "no day", "--lora", lora + ":0.5"},
                {"a castle by day", "--negative", "no day", "--lora", lora},
                {"a castle by night", "--negative", "no night", "--lora", lora + ":0.5"},
                {"a castle by night", "--negative", "no night", "--lora", lora}});
}

TEST_F(Grid, SizesAndPromptsAndTheirOddCharactersAreAxes) {
  const Outcome o = grid({"--y", "prompt=-a house,\"one, two\",\"日本 ñ\xcc\x81\x01\"", "--x", "width=64,128", "-o", "new/g.jpg"});
  ASSERT_EQ(o.status, 0) << o.err;
  const json told = json::parse(o.out);
  EXPECT_EQ(told["pictures"].size(), 6u);
  EXPECT_EQ(told["pictures"][1]["width"], 128);
  EXPECT_EQ(told["y"]["values"][1], "one, two");
  EXPECT_EQ(read_image(scratch / "new/g.jpg").image.width, told["width"]);
}

TEST_F(Grid, LabelsAreWrittenAboveAndBeside) {
  const Outcome o = grid({"a castle", "--x", "guidance=1,8", "--y", "seed=1-2"});
  ASSERT_EQ(o.status, 0) << o.err;
  const json told = json::parse(o.out), &cell = told["pictures"];
  const Image sheet = read_image(scratch / "grid.png").image;
  const int left = cell[0]["left"], top = cell[0]["top"];
  const Image corner = cut(sheet, 0, 0, left, top), first = cut(sheet, left, 0, 64, top), second = cut(sheet, cell[1]["left"], 0, 64, top);
  const Image beside = cut(sheet, 0, top, left, 64), below = cut(sheet, 0, cell[2]["top"], left, 64);
  EXPECT_EQ(dark_pixels(corner), 0);
  for (const Image& label : {first, second, beside, below}) EXPECT_GT(dark_pixels(label), 20);
  EXPECT_NE(first.rgb, second.rgb);
  EXPECT_NE(beside.rgb, below.rgb);
}

TEST_F(Grid, OneAxisIsEnoughAndSettingsAreKept) {
  const Outcome o = grid({"a castle", "--x", "seed=3,\"4\"", "--steps", "1"});
  ASSERT_EQ(o.status, 0) << o.err;
  const json told = json::parse(o.out);
  EXPECT_EQ(told["y"], nullptr);
  const ImageFile file = read_image(scratch / "grid.png");
  EXPECT_EQ(file.infotext, told["infotext"]);
  EXPECT_TRUE(file.infotext.starts_with("a castle\nSteps: 1, ")) << file.infotext;
  const Infotext info = parse_infotext(file.infotext);
  auto setting = [&](const std::string& key) {
    for (const auto& [name, value] : info.settings)
      if (name == key) return value;
    return std::string("none");
  };
  EXPECT_EQ(setting("Script"), "X/Y plot");
  EXPECT_EQ(setting("X Type"), "seed");
  EXPECT_EQ(setting("X Values"), "3,4");
  EXPECT_EQ(setting("Y Type"), "none");
  EXPECT_EQ(setting("Seed"), "3");
}

struct Refused {
  const char* name;
  std::vector<std::string> arguments;
  const char* message;
  int status = 2;
};
void PrintTo(const Refused& r, std::ostream* out) { *out << r.name; }
class RefusedGrid : public Grid, public testing::WithParamInterface<Refused> {};

TEST_P(RefusedGrid, BeforeAnythingIsDrawn) {
  std::vector<std::string> arguments = {"grid", "a castle", "-W", "64", "-H", "64"};
  arguments.insert(arguments.end(), GetParam().arguments.begin(), GetParam().arguments.end());
  const Outcome o = run_program(arguments, {.folder = scratch / ""});
  EXPECT_EQ(o.status, GetParam().status) << o.err;
  EXPECT_TRUE(contains(o.err, GetParam().message)) << o.err;
  EXPECT_FALSE(contains(o.err, "step 1/")) << o.err;
  EXPECT_EQ(o.out, "");
  EXPECT_TRUE(scratch.entries().empty());
}

const Refused refused[] = {
    {"no_axis", {}, "no axis. Try: hayate grid"},
    {"unknown_axis", {"--x", "stepz=1,2"}, "--x: there is no axis stepz. Did you mean steps?"},
    {"axis_of_files", {"--x", "output=a.png,b.png"}, "there is no axis output"},
    {"axis_of_batches", {"--y", "batch=1,2"}, "--y: there is no axis batch"},
    {"empty_list", {"--x", "steps="}, "--x: value 1 of steps is empty"},
    {"no_list", {"--x", "steps"}, "--x: expected AXIS=VALUE"},
    {"same_axis", {"--x", "steps=1", "--y", "steps=2"}, "--x and --y are both steps"},
    {"too_many", {"--x", "seed=1-40", "--y", "steps=1-40"}, "40 x 40 pictures; at most 1000"},
    {"bad_value", {"--x", "steps=2,many"}, "steps: many: --steps: expected a whole number from 1 to 1000, got \"many\""},
    {"bad_value_of_two", {"--x", "seed=1,2", "--y", "scheduler=euler,oiler"}, "seed: 1, scheduler: oiler: no scheduler is named"},
    {"value_below", {"--x", "guidance=-1-1:0.5"}, "guidance: -1: --guidance: expected"},
    {"on_or_off", {"--x", "deterministic=on,maybe"}, "--deterministic: expected on or off, got \"maybe\""},
    {"two_seeds", {"--seed", "1", "--seed", "2", "--x", "steps=1,2"}, "--seed: given 2 times"},
    {"words_not_there", {"--x", "words=day,night"}, "no prompt has \"day\""},
    {"words_empty", {"--x", "words=\"\",night"}, "the first is what the prompt has"},
    {"no_lora", {"--x", "lora-weight=0,1"}, "there is no --lora"},
    {"missing_lora", {"--x", "lora=none.safetensors"}, "none.safetensors", 3},
    {"eta_of_euler", {"--x", "eta=0.5", "--scheduler", "euler"}, "eta: 0.5: the scheduler euler has no eta"},
    {"mask_alone", {"--x", "mask-blur=1,2"}, "mask"},
    {"missing_picture", {"--x", "init-image=none.png"}, "none.png", 3},
    {"too_large", {"--x", "seed=1-300"}, "pixels; at most 16384 a side"},
    {"format", {"--x", "seed=1,2", "-o", "grid.gif"}, "--output: expected a name that ends in"},
    {"no_folder", {"--x", "seed=1,2", "-o", "a/b/c.png"}, "a: cannot write", 5},
};
INSTANTIATE_TEST_SUITE_P(Cli, RefusedGrid, testing::ValuesIn(refused), [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace hayate
