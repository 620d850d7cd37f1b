// What users and machines do wrong: any value for any option, a disk that fills up, streams that are closed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "cli/run_program.h"
#include "core/scratch_folder.h"
#include "weights/safetensors_cases.h"

namespace hayate {
namespace {

// The options of a subcommand that take a value, as --help lists them.
std::vector<std::string> options_with_values(const std::string& subcommand) {
  std::vector<std::string> options;
  std::istringstream help(run_program({subcommand, "--help"}).out);
  for (std::string line; std::getline(help, line);) {
    std::istringstream words(line);
    std::string name, placeholder;
    words >> name >> placeholder;
    if (name.ends_with(',')) name = std::exchange(placeholder, ""), words >> placeholder;  // after the short name
    if (!line.starts_with("  -") || placeholder.empty() || !std::isupper(uint8_t(placeholder[0]))) continue;
    options.push_back(name);
  }
  return options;
}

class AnyValue : public testing::TestWithParam<const char*> {};

// Nothing is drawn: the model or file that is named last does not exist.
TEST_P(AnyValue, IsTakenOrRefused) {
  const std::string subcommand = GetParam(), missing = "/nonexistent/model";
  const std::vector<std::string> options = options_with_values(subcommand);
  EXPECT_GE(options.size(), subcommand == "generate" ? 30u : 0u);
  ScratchFolder scratch;
  for (const std::string& option : options)
    for (const std::string& value : {std::string(), std::string("0"), std::string("-1"), std::string("nan"), std::string("-inf"),
                                     std::string("1e999"), std::string("99999999999999999999"), std::string("0x10"), std::string(" 8"),
                                     std::string("\xff\n\x01"), std::string("../.."), std::string("{x}%n%s"), std::string(100'000, '9')}) {
      std::vector<std::string> arguments = {subcommand};
      if (subcommand == "generate") arguments.insert(arguments.end(), {"x"});
      if (subcommand == "generate" && option != "--model") arguments.insert(arguments.end(), {"-m", missing});
      if (subcommand == "inspect") arguments.push_back(missing);
      if (subcommand == "compare" || subcommand == "convert") arguments.insert(arguments.end(), {missing, scratch / "output"});
      arguments.push_back(option + "=" + value);
      auto start = std::chrono::steady_clock::now();
      Outcome o = run_program(arguments, {.folder = scratch / ""});
      EXPECT_TRUE(o.status >= 2 && o.status <= 5) << option << "=" << value.substr(0, 30) << ": " << o.status << " " << o.err;
      EXPECT_TRUE(o.out.empty() && o.err.starts_with("hayate: ") && o.err.size() < 300'000) << option << "=" << value.substr(0, 30);
      EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60)) << option;
    }
  EXPECT_EQ(scratch.entries().size(), 0u);
}
INSTANTIATE_TEST_SUITE_P(Cli, AnyValue, testing::Values("generate", "compare", "inspect", "convert", "rungs"),
                         [](const auto& info) { return std::string(info.param); });

class FullDisk : public testing::TestWithParam<std::vector<std::string>> {};

// The file that is named last is found to be too large at every eighth of it.
TEST_P(FullDisk, LeavesNothingHalfWritten) {
  ScratchFolder scratch;
  auto run = [&](int64_t largest_file) { return run_program(GetParam(), {.folder = scratch / "", .largest_file = largest_file}); };
  Outcome whole = run(-1);
  ASSERT_EQ(whole.status, 0) << whole.err;
  const std::string output = GetParam().back();
  int64_t size = 0;
  if (std::filesystem::is_directory(scratch / output))
    for (const auto& file : std::filesystem::recursive_directory_iterator(scratch / output))
      size = std::max(size, file.is_regular_file() ? int64_t(file.file_size()) : 0);
  else
    size = int64_t(std::filesystem::file_size(scratch / output));
  for (const std::string& entry : scratch.entries()) std::filesystem::remove_all(scratch / entry);
  for (int part = 0; part < 8; ++part) {
    Outcome o = run(part == 7 ? size - 1 : size * part / 8);
    EXPECT_EQ(o.status, 5) << part << ": " << o.err;
    for (const std::string& entry : scratch.entries()) ADD_FAILURE() << "left " << entry << " at part " << part;
  }
}
const std::vector<std::string> small = {"generate", "a castle", "-W", "64", "-H", "64", "--steps", "1", "--quiet"};
std::vector<std::string> small_to(std::vector<std::string> more) {
  more.insert(more.begin(), small.begin(), small.end());
  return more;
}
INSTANTIATE_TEST_SUITE_P(Cli, FullDisk,
                         testing::Values(small_to({"-o", "a.png"}), small_to({"-o", "a.jpg"}), small_to({"-o", "a.webp"}),
                                         small_to({"--dump", "mid_block*", "--dump-to", "dump.safetensors"}),
                                         std::vector<std::string>{"convert", HAYATE_SOURCE_DIR "/tests/data/parity/tiny-sd15", "a.safetensors"},
                                         std::vector<std::string>{"convert", HAYATE_SOURCE_DIR "/tests/data/parity/tiny-sd15", "folder"}));

// A reference run keeps its dump among the temporary files until it is compared.
TEST(DiskRunsFull, ATemporaryDumpIsGone) {
  ScratchFolder scratch;
  std::filesystem::create_directory(scratch / "tmp");
  const std::string model = HAYATE_SOURCE_DIR "/tests/data/parity/tiny-sd15";
  const std::string request = R"({"prompt": "a castle", "steps": 1, "width": 16, "height": 16})";
  const std::string header = nlohmann::json({{"__metadata__", {{"request", request}}}}).dump();
  const std::string reference = scratch.write("reference.safetensors", safetensors_bytes(header, 0));
  auto run = [&](int64_t largest_file) {
    return run_program({"compare", "--reference", reference, "-m", model},
                       {.variables = {{"TMPDIR", scratch / "tmp"}}, .largest_file = largest_file});
  };
  EXPECT_EQ(run(-1).status, 2) << "no names in common";
  Outcome o = run(100'000);
  EXPECT_EQ(o.status, 5) << o.err;
  EXPECT_TRUE(std::filesystem::is_empty(scratch / "tmp"));
}

// Programs are a file each: those that are there are whole.
TEST(DiskRunsFull, PrintedProgramsAreWhole) {
  ScratchFolder scratch;
  auto run = [&](const char* folder, int64_t largest_file) {
    std::vector<std::string> arguments = small_to({"--print-program", folder});
    return run_program(arguments, {.folder = scratch / "", .largest_file = largest_file});
  };
  ASSERT_EQ(run("whole", -1).status, 0);
  EXPECT_EQ(run("cut", 50'000).status, 5);
  int there = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(scratch / "cut")) {
    if (!file.is_regular_file()) continue;
    EXPECT_EQ(slurp(file.path()), slurp(scratch / "whole" + file.path().string().substr((scratch / "cut").size()))) << file.path();
    ++there;
  }
  EXPECT_GT(there, 0);
}

TEST(ClosedStreams, AreNotTakenForFiles) {
  for (std::vector<int> closed : {std::vector<int>{0}, {1}, {2}, {1, 2}, {0, 1, 2}}) {
    ScratchFolder scratch;
    bool result_lost = std::ranges::find(closed, 1) != closed.end();
    std::vector<std::string> arguments = small;
    arguments.pop_back();  // with progress
    Outcome o = run_program(arguments, {.folder = scratch / "", .closed = closed});
    EXPECT_EQ(o.status, result_lost ? 5 : 0) << o.err;
    std::string picture = slurp(scratch / "hayate.png");
    EXPECT_TRUE(picture.starts_with("\x89PNG") && picture.ends_with("IEND\xae\x42\x60\x82"));
    EXPECT_EQ(scratch.entries().size(), 1u);
    EXPECT_EQ(run_program({"rungs"}, {.closed = closed}).status, result_lost ? 5 : 0);
  }
}

}  // namespace
}  // namespace hayate
