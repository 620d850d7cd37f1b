// hayate compare on small hand-made dumps.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "cli/run_program.h"
#include "core/scratch_folder.h"

namespace hayate {
namespace {

using nlohmann::json;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class Compare : public testing::Test {
 protected:
  ScratchFolder scratch;

  std::string dump(const std::string& file, const std::vector<std::pair<std::string, std::vector<float>>>& values) {
    json header;
    std::string data;
    for (const auto& [name, numbers] : values) {
      size_t begin = data.size();
      data.append(reinterpret_cast<const char*>(numbers.data()), 4 * numbers.size());
      header[name] = {{"dtype", "F32"}, {"shape", {numbers.size()}}, {"data_offsets", {begin, data.size()}}};
    }
    std::string text = header.dump();
    uint64_t size = text.size();
    return scratch.write(file, std::string(reinterpret_cast<const char*>(&size), 8) + text + data);
  }
};

TEST_F(Compare, EqualDumpsAreEqual) {
  std::string a = dump("a", {{"x", {1, 2}}, {"y", {3}}}), b = dump("b", {{"x", {1, 2}}, {"y", {3}}});
  Outcome o = run_program({"compare", a, b});
  EXPECT_EQ(o.status, 0) << o.err;
  EXPECT_TRUE(o.out.starts_with("2 values in both, 0 with a relative L2 difference above 1e-05\n")) << o.out;
}

TEST_F(Compare, NamesTheFirstDifferenceAndTheWorst) {
  std::string a = dump("a", {{"m.first", {1, 1}}, {"m.second", {1.001f, 1}}, {"m.third", {2, 1}}});
  std::string b = dump("b", {{"m.first", {1, 1}}, {"m.second", {1, 1}}, {"m.third", {1, 1}}});
  Outcome o = run_program({"compare", a, b});
  EXPECT_EQ(o.status, 1);
  EXPECT_TRUE(contains(o.out, "\nfirst: m.second  ")) << o.out;
  size_t worst = o.out.find("\nm.third "), next = o.out.find("\nm.second ");
  EXPECT_NE(worst, std::string::npos);
  EXPECT_LT(worst, next) << o.out;
  EXPECT_EQ(run_program({"compare", a, b, "--tolerance", "2"}).status, 0);
}

TEST_F(Compare, ANanIsADifferenceUnderAnyTolerance) {
  std::string a = dump("a", {{"x", {NAN, 1}}}), b = dump("b", {{"x", {1, 1}}});
  EXPECT_EQ(run_program({"compare", a, b, "--tolerance", "1e9"}).status, 1);
}

TEST_F(Compare, Json) {
  std::string a = dump("a", {{"x", {1.5f, 1}}, {"y", {1}}}), b = dump("b", {{"x", {1, 1}}, {"y", {1}}});
  Outcome o = run_program({"compare", a, b, "--json"});
  EXPECT_EQ(o.status, 1);
  json j = json::parse(o.out);
  EXPECT_EQ(j["first"], "x");
  EXPECT_EQ(j["above_tolerance"], 1);
  EXPECT_EQ(j["values"][0]["max_abs"], 0.5);
  EXPECT_NEAR(j["values"][0]["relative_l2"].get<double>(), 0.5 / std::sqrt(2.0), 1e-6);
}

// A dump of hayate's own, with the request that a reference names.
class CompareReference : public Compare {
 protected:
  const std::string model = HAYATE_SOURCE_DIR "/tests/data/parity/tiny-sdxl";

  std::string reference(const json& request) {
    Outcome o = run_program({"generate", "a castle", "-m", model, "--seed", "3", "--steps", "2", "-W", "64", "-H", "64", "--rung", "fp32", "--dump",
                             "*", "--dump-to", "own", "--quiet"},
                            {.folder = scratch / ""});
    EXPECT_EQ(o.status, 0) << o.err;
    std::string file = slurp(scratch / "own");
    uint64_t size = 0;
    std::memcpy(&size, file.data(), 8);
    json header = json::parse(file.substr(8, size));
    header["__metadata__"]["request"] = request.is_string() ? request.get<std::string>() : request.dump();
    std::string text = header.dump();
    uint64_t length = text.size();
    return scratch.write("reference", std::string(reinterpret_cast<const char*>(&length), 8) + text + file.substr(8 + size));
  }
  Outcome run(const json& request) { return run_program({"compare", "--reference", reference(request), "-m", model, "--rung", "fp32", "--json"}); }
};

TEST_F(CompareReference, RunsTheRequestAndNamesTheFirstDifference) {
  const json request = {{"prompt", "a castle"}, {"seed", 3}, {"steps", 2}, {"width", 64}, {"height", 64}};
  Outcome o = run(request);
  EXPECT_EQ(o.status, 0) << o.err;
  EXPECT_GT(json::parse(o.out)["values"].size(), 100u);
  json other = request;
  other["seed"] = 4;
  o = run(other);
  EXPECT_EQ(o.status, 1) << o.err;
  EXPECT_TRUE(json::parse(o.out)["first"].get<std::string>().starts_with("unet/step1/")) << o.out.substr(0, 300);
}

TEST_F(CompareReference, RequestsThatMakeNoSenseAreNamed) {
  for (const json& request : {json("{"), json("[]"), json({{"colour", 1}}), json({{"steps", "many"}})}) {
    Outcome o = run(request);
    EXPECT_EQ(o.status, 3) << o.err;
    EXPECT_TRUE(contains(o.err, "request")) << o.err;
  }
  EXPECT_EQ(run({{"width", 63}}).status, 2);
  EXPECT_EQ(run_program({"compare", "--reference", dump("plain", {{"x", {1}}})}).status, 3);
}

TEST_F(Compare, ABrokenOrMissingFileIsNamed) {
  std::string a = dump("a", {{"x", {1}}});
  Outcome o = run_program({"compare", a, scratch / "none"});
  EXPECT_EQ(o.status, 3);
  EXPECT_TRUE(contains(o.err, "none")) << o.err;
  o = run_program({"compare", scratch.write("text", "not a dump"), a});
  EXPECT_EQ(o.status, 3);
  EXPECT_TRUE(contains(o.err, "text")) << o.err;
}

}  // namespace
}  // namespace hayate
