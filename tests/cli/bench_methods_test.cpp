// hayate bench methods with the built-in model: what its files hold. No time is judged.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/run_program.h"
#include "core/scratch_folder.h"

namespace hayate {
namespace {

TEST(BenchMethods, FilesHoldEachMethodOnEachRung) {
  ScratchFolder folder;
  Outcome o = run_program({"bench", "methods", "--methods", "all-steps", "--methods", "deepcache-2", "--rungs", "fp32", "--rungs", "projections", "-W", "64", "-H", "64",
                           "--steps", "4", "--warmups", "0", "--runs", "1", "--json", folder / "m.json", "--csv", folder / "m.csv", "--svg", folder / "m.svg"});
  ASSERT_EQ(o.status, 0) << o.err;
  std::ifstream file(folder / "m.json");
  const nlohmann::json report = nlohmann::json::parse(file);
  ASSERT_EQ(report["methods"].size(), 4u);
  const auto distance = [&](size_t i) { return report["methods"][i]["latent_distance"].get<double>(); };
  EXPECT_EQ(report["methods"][1]["method"], "deepcache-2");
  EXPECT_EQ(report["methods"][1]["rung"], "fp32");
  EXPECT_EQ(distance(0), 0);  // it is what all are compared with
  for (size_t i : {1, 2, 3}) EXPECT_GT(distance(i), 0) << i;
  for (const nlohmann::json& row : report["methods"]) {
    EXPECT_GT(row["seconds_per_image"].get<double>(), 0);
    EXPECT_TRUE(row["attribute_score"].is_null());
  }
  std::ifstream table(folder / "m.csv");
  std::string titles, row;
  std::getline(table, titles), std::getline(table, row);
  EXPECT_TRUE(titles.starts_with("method,steps,rung,")) << titles;
  EXPECT_EQ(std::ranges::count(titles, ','), std::ranges::count(row, ',')) << row;
  std::ifstream chart(folder / "m.svg");
  EXPECT_NE(std::string(std::istreambuf_iterator<char>(chart), {}).find(">deepcache-2, projections</text>"), std::string::npos);
}

TEST(BenchMethods, UnknownMethodsAreRefused) {
  Outcome o = run_program({"bench", "methods", "--methods", "magic"});
  EXPECT_EQ(o.status, 2);
  EXPECT_NE(o.err.find("deepcache-3"), std::string::npos) << o.err;
}

}  // namespace
}  // namespace hayate
