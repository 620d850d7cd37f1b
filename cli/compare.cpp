// hayate compare: two dumps, value by value.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "exit_code.h"
#include "output.h"
#include "reference_run.h"
#include "shared_options.h"
#include "subcommands.h"
#include "text_table.h"

namespace hayate::cli {

namespace {

constexpr size_t rows_shown = 10;

struct CompareCommand {
  std::string a, b, reference;
  Options options;
  double tolerance = 1e-5;
  bool json = false;
};

// NaN counts as different, and as the worst.
bool differs(const Difference& d, double tolerance) { return !(d.relative_l2 <= tolerance); }
double printable(double x) { return std::abs(x); }  // NaN without a sign
bool worse(const Difference& a, const Difference& b) {
  if (std::isnan(a.relative_l2) || std::isnan(b.relative_l2)) return std::isnan(a.relative_l2) && !std::isnan(b.relative_l2);
  return a.relative_l2 > b.relative_l2;
}

std::string table(std::vector<Difference> all) {
  std::stable_sort(all.begin(), all.end(), worse);
  all.resize(std::min(all.size(), rows_shown));
  size_t width = 0;
  for (const Difference& d : all) width = std::max(width, d.name.size());
  std::string text = fmt::format("\n{:<{}}  relative L2  max |difference|\n", "worst", width);
  for (const Difference& d : all)
    text += fmt::format("{:<{}}  {:>11.3e}  {:>16.3e}\n", d.name, width, printable(d.relative_l2), printable(d.max_abs));
  return text;
}

std::vector<Difference> differences(const CompareCommand& command) {
  if (command.reference.empty() ? command.b.empty() : !command.a.empty())
    refuse("compare: expected either two dumps A and B, or --reference and a model to run");
  return command.reference.empty() ? compare_dumps(command.a, command.b) : run_against(command.reference, command.options);
}

int run(const CompareCommand& command) {
  std::vector<Difference> all = differences(command);
  auto above = [&](const Difference& d) { return differs(d, command.tolerance); };
  auto first = std::find_if(all.begin(), all.end(), above);
  auto count = std::count_if(all.begin(), all.end(), above);
  if (command.json) {
    nlohmann::ordered_json values = nlohmann::ordered_json::array();  // NaN becomes null
    for (const Difference& d : all) values.push_back({{"name", d.name}, {"relative_l2", d.relative_l2}, {"max_abs", d.max_abs}});
    nlohmann::ordered_json result = {{"tolerance", command.tolerance}, {"above_tolerance", count}, {"values", values}};
    result["first"] = first == all.end() ? nlohmann::ordered_json() : nlohmann::ordered_json(first->name);
    print_result(json_text(result));
  } else {
    std::string text = fmt::format("{} values in both, {} with a relative L2 difference above {:g}\n", all.size(), count, command.tolerance);
    if (first != all.end()) text += fmt::format("first: {}  {:.3e}\n", first->name, printable(first->relative_l2));
    print_result(text + table(all));
  }
  return first == all.end() ? exit_ok : exit_different;
}

}  // namespace

Subcommand add_compare(CLI::App& app) {
  CLI::App* compare = declare(app, "compare",
                              "Finds the first value that differs from a reference.\n\n"
                              "Two dumps made with --dump are compared by name, in the order of computation. With --reference the dump "
                              "of another program (tools/dump_reference.py) says which request to run, and every value of that run is "
                              "compared with it.\n\n"
                              "  hayate generate \"a castle\" --rung fp32 --dump \"*\" --dump-to a.safetensors\n"
                              "  hayate generate \"a castle\" --rung bf16 --dump \"*\" --dump-to b.safetensors\n"
                              "  hayate compare b.safetensors a.safetensors --tolerance 0.02\n"
                              "  hayate compare --reference diffusers.safetensors -m path/to/sdxl --rung fp32",
                              exit_code_help());
  auto command = std::make_shared<CompareCommand>();
  Table table{compare, "Options"};
  table.text("A", "", "dump to check", command->a);
  table.text("B", "", "dump to trust", command->b);
  table.text("--reference", "FILE", "dump of a request that is to be run and compared", command->reference);
  table.number("--tolerance", fmt::format("largest ||a - b|| / ||b|| that counts as equal (default {:g})", command->tolerance), command->tolerance,
               0.0, 1e9);
  add_json(table, "print all differences as JSON", command->json);
  table.group = "The run that --reference asks for";
  add_model(table, command->options);
  add_machine(table, command->options);
  return {compare, [command] { return run(*command); }};
}

}  // namespace hayate::cli
