// hayate compare: two dumps, value by value.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "exit_code.h"
#include "output.h"

namespace hayate::cli {

namespace {

constexpr size_t rows_shown = 10;

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

}  // namespace

int run(const CompareCommand& command) {
  std::vector<Difference> all = compare_dumps(command.a, command.b);
  auto above = [&](const Difference& d) { return differs(d, command.tolerance); };
  auto first = std::find_if(all.begin(), all.end(), above);
  auto count = std::count_if(all.begin(), all.end(), above);
  if (command.json) {
    nlohmann::ordered_json values = nlohmann::ordered_json::array();  // NaN becomes null
    for (const Difference& d : all) values.push_back({{"name", d.name}, {"relative_l2", d.relative_l2}, {"max_abs", d.max_abs}});
    nlohmann::ordered_json result = {{"tolerance", command.tolerance}, {"above_tolerance", count}, {"values", values}};
    result["first"] = first == all.end() ? nlohmann::ordered_json() : nlohmann::ordered_json(first->name);
    print_result(result.dump(2) + "\n");
  } else {
    std::string text = fmt::format("{} values in both, {} with a relative L2 difference above {:g}\n", all.size(), count, command.tolerance);
    if (first != all.end()) text += fmt::format("first: {}  {:.3e}\n", first->name, printable(first->relative_l2));
    print_result(text + table(all));
  }
  return first == all.end() ? exit_ok : exit_different;
}

}  // namespace hayate::cli
