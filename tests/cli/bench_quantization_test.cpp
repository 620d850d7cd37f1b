// hayate bench quantization with the built-in model: that layers are found, and that errors are those of 8 bits. No time is judged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/run_program.h"
#include "core/scratch_folder.h"

namespace hayate {
namespace {

using ::testing::HasSubstr;

nlohmann::json parse(const std::string& path) {
  std::ifstream file(path);
  return nlohmann::json::parse(file);
}

TEST(BenchQuantization, LinearsByShape) {
  ScratchFolder folder;
  Outcome o = run_program(
      {"bench", "quantization", "--width", "64", "--height", "64", "--device", "reference", "--json", folder / "q.json", "--csv", folder / "q.csv"});
  ASSERT_EQ(o.status, 0) << o.err;
  EXPECT_THAT(o.out, HasSubstr("This device measures nothing"));
  const nlohmann::json report = parse(folder / "q.json");
  std::set<std::string> epilogues;
  int quantized = 0;
  for (const nlohmann::json& s : report["linears"]) {
    epilogues.insert(s["epilogue"]);
    EXPECT_GT(s["count"], 0);
    EXPECT_TRUE(s["ms"].is_null() && s["int8_ms"].is_null() && s["fp8_ms_quantize"].is_null()) << s;
    const double in_bf16 = s["error"];
    EXPECT_TRUE(in_bf16 > 0 && in_bf16 < 0.01) << s;
    if (s["int8_error"].is_null()) continue;
    ++quantized;
    EXPECT_EQ(s["int8_chosen"], s["count"]);  // nothing is measured, so all are
    const double in_int8 = s["int8_error"], in_fp8 = s["fp8_error"];
    EXPECT_TRUE(in_int8 > 1e-3 && in_int8 < 0.05) << s;
    EXPECT_TRUE(in_fp8 > in_int8 && in_fp8 < 0.1) << s;  // 3 bits of mantissa
  }
  EXPECT_GE(quantized, 4);
  EXPECT_LT(size_t(quantized), report["linears"].size());  // embeddings stay
  EXPECT_TRUE(epilogues.contains("layer norm, bias, geglu")) << ::testing::PrintToString(epilogues);
  EXPECT_TRUE(epilogues.contains("bias, residual")) << ::testing::PrintToString(epilogues);
  std::ifstream table(folder / "q.csv");
  std::string titles, row;
  std::getline(table, titles);
  EXPECT_THAT(titles, HasSubstr(",int8_ms,int8_ms_quantize,int8_chosen,int8_error,fp8_ms,"));
  size_t rows = 0;
  while (std::getline(table, row)) ++rows;
  EXPECT_EQ(rows, report["linears"].size());
}

TEST(BenchQuantization, AnAbsentTypeIsSaidSo) {
  Outcome o = run_program({"bench", "quantization", "--width", "64", "--height", "64", "--device", "cpu"});
  ASSERT_EQ(o.status, 0) << o.err;
  EXPECT_THAT(o.out, HasSubstr("fp8 is not there on this device: its errors are those of the reference backend."));
}

TEST(BenchQuantization, ErrorsOfOneCallByKindOfLayer) {
  ScratchFolder folder;
  Outcome o = run_program(
      {"bench", "quantization", "--errors", "--width", "64", "--height", "64", "--steps", "2", "--device", "reference", "--json", folder / "e.json"});
  ASSERT_EQ(o.status, 0) << o.err;
  std::map<std::string, std::map<std::string, double>> errors;
  std::map<std::string, std::map<std::string, int>> counts;
  const nlohmann::json report = parse(folder / "e.json");
  for (const nlohmann::json& e : report["errors"]) {
    errors[e["rung"]][e["layers"]] = e["error"];
    counts[e["rung"]][e["layers"]] = e["count"];
  }
  for (const char* rung : {"int8", "fp8"}) {
    int linears = 0;
    for (const char* layers : {"attn1.to_q", "attn1.to_out.0", "attn2.to_q", "attn2.to_out.0", "ff.net.0.proj", "ff.net.2", "proj_in", "proj_out"}) {
      const double error = errors[rung][layers];
      EXPECT_TRUE(error > 0 && error < 0.1) << rung << " " << layers << " " << error;
      EXPECT_LT(error, 1.5 * errors[rung]["all linears"]) << rung << " " << layers;
      linears += counts[rung][layers];
    }
    EXPECT_EQ(linears, counts[rung]["all linears"]) << "each is of one kind";
    EXPECT_EQ(counts[rung]["convolutions"] + linears, counts[rung]["all"]) << rung;
    EXPECT_GT(errors[rung]["convolutions"], 0) << rung;
  }
  EXPECT_GT(errors["fp8"]["all linears"], errors["int8"]["all linears"]);
}

TEST(BenchQuantization, WhatCannotBeIsRefused) {
  EXPECT_EQ(run_program({"bench", "quantization", "--json", "/nowhere/at/all"}).status, 5);
  EXPECT_EQ(run_program({"bench", "quantization", "--errors", "--steps", "1", "--device", "reference"}).status, 2);
}

}  // namespace
}  // namespace hayate
