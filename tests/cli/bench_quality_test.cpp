// hayate bench quality with the built-in model and its own list.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/run_program.h"

namespace hayate {
namespace {

TEST(BenchQuality, ScoresAndComparesTheBuiltInModel) {
  Outcome o = run_program({"bench", "quality", "--prompts", "3", "--steps", "6", "--batch", "2", "--reference-rung", "fp32", "--json"});
  ASSERT_EQ(o.status, 0) << o.err;
  nlohmann::json report = nlohmann::json::parse(o.out);
  EXPECT_EQ(report["pictures"], 3);
  // Even six steps show more than half of what is asked for, and noise about a tenth.
  EXPECT_GT(report["attribute_score"], 0.4);
  EXPECT_LE(report["attribute_score"], 1.0);
  EXPECT_LE(report["attribute_score_low"], report["attribute_score"]);
  EXPECT_GE(report["attribute_score_high"], report["attribute_score"]);
  EXPECT_GE(report["attributes_asked"], 6);
  EXPECT_EQ(report["groups"]["time"]["asked"], 3);
  EXPECT_GT(report["to_reference"]["psnr"], 20);
  EXPECT_GT(report["to_reference"]["ssim"], 0.8);
  EXPECT_LT(report["to_reference"]["identical"], 3) << "bf16 pictures equal to fp32 pictures: was the reference rung drawn?";
}

TEST(BenchQuality, TheBuiltInModelsLorasShowInFewStepsWhatItsOwnWeightsDoNot) {
  auto score = [](const char* steps, const char* lora) {
    std::vector<std::string> arguments = {"bench", "quality", "--prompts", "4", "--scheduler", "lcm", "--steps", steps, "--guidance", "1", "--json"};
    if (lora) arguments.insert(arguments.end(), {"--lora", std::string(HAYATE_SOURCE_DIR "/models/") + lora});
    Outcome o = run_program(arguments);
    EXPECT_EQ(o.status, 0) << o.err;
    return o.status == 0 ? nlohmann::json::parse(o.out)["attribute_score"].get<double>() : NAN;
  };
  const double plain = score("1", nullptr), turbo = score("1", "builtin-turbo.safetensors"), lcm = score("4", "builtin-lcm.safetensors");
  EXPECT_GT(turbo, 0.8);
  EXPECT_GT(lcm, 0.8);
  EXPECT_LT(plain, 0.7);
}

TEST(BenchQuality, TextNamesTheRungAndEachGroup) {
  Outcome o = run_program({"bench", "quality", "--prompts", "1", "--steps", "2", "--rung", "fp32"});
  ASSERT_EQ(o.status, 0) << o.err;
  EXPECT_NE(o.out.find("time "), std::string::npos) << o.out;
  EXPECT_NE(o.out.find("1 pictures at rung fp32"), std::string::npos) << o.out;
}

TEST(BenchQuality, WrongInputIsRefused) {
  EXPECT_EQ(run_program({"bench", "quality", "--prompts", "99999"}).status, 2);
  EXPECT_EQ(run_program({"bench", "quality", "--list", "/nowhere"}).status, 3);
  EXPECT_EQ(run_program({"bench"}).status, 2);
}

}  // namespace
}  // namespace hayate
