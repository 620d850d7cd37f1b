// hayate bench ladder with the built-in model: what its files hold. No time is judged.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/run_program.h"
#include "core/scratch_folder.h"

namespace hayate {
namespace {

TEST(BenchLadder, FilesHoldTimesFloorsAndWhatWasMeasured) {
  ScratchFolder folder;
  Outcome o = run_program({"bench", "ladder",         "--rungs", "fp32",          "--rungs", "projections", "--width", "64",     "--height",
                           "64",    "--steps",        "1",       "--warmups",     "0",       "--runs",      "1",       "--json", folder / "l.json",
                           "--csv", folder / "l.csv", "--svg",   folder / "l.svg"});
  ASSERT_EQ(o.status, 0) << o.err;
  std::ifstream file(folder / "l.json");
  nlohmann::json report = nlohmann::json::parse(file);
  const std::string version = run_program({"--version"}).out;
  EXPECT_NE(version.find("(" + report["revision"].get<std::string>() + ")"), std::string::npos) << version;
  ASSERT_EQ(report["rungs"].size(), 2u);
  for (const nlohmann::json& rung : report["rungs"]) {
    for (const char* positive :
         {"seconds_per_image", "ms_per_step", "tflops", "tflops_ceiling", "gbs_ceiling", "ms_per_step_floor", "percent_of_floor"})
      EXPECT_GT(rung[positive].get<double>(), 0) << positive;
    EXPECT_NEAR(rung["percent_of_floor"].get<double>(), 100 * rung["ms_per_step_floor"].get<double>() / rung["ms_per_step"].get<double>(), 1e-6);
  }
  std::ifstream table(folder / "l.csv");
  std::string titles, row;
  std::getline(table, titles), std::getline(table, row);
  EXPECT_NE(titles.find(",percent_of_floor,"), std::string::npos) << titles;
  EXPECT_EQ(std::ranges::count(titles, ','), std::ranges::count(row, ',')) << row;
}

TEST(BenchLadder, AFileThatCannotBeWrittenIsFoundOutFirst) {
  for (const char* option : {"--json", "--csv", "--svg"}) {
    Outcome o = run_program({"bench", "ladder", option, "/nowhere/at/all"});
    EXPECT_EQ(o.status, 5);
    EXPECT_EQ(o.err.find(" ms a step"), std::string::npos) << o.err;
  }
}

}  // namespace
}  // namespace hayate
