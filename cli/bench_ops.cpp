// hayate bench ops: where the time of a picture goes, op by op.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "bench_common.h"
#include "exit_code.h"
#include "output.h"
#include "subcommands.h"
#include "text_table.h"

namespace hayate::cli {

namespace {
int run(const BenchPicture& command) {
  Pipeline pipeline(command.options);
  const Ceilings ceilings = pipeline.measure_ceilings();
  struct Sum {
    OpTime of;
    int count = 0;
    double seconds = 0, above = 0;  // above: what it takes beyond its floor
  };
  std::map<std::string, Sum> sums;  // by part of the picture, op and shapes
  for (const OpTime& t : pipeline.profile(request_of(command), command.runs)) {
    Sum& s = sums[t.name.substr(0, t.name.find('/')) + " " + t.op + " " + t.shapes];
    s.of = t, s.count += 1, s.seconds += t.seconds, s.above += t.seconds - ceilings.seconds(t.flops, t.bytes, t.narrow);
  }
  std::vector<std::pair<std::string, Sum>> order(sums.begin(), sums.end());
  std::ranges::stable_sort(order, [](const auto& a, const auto& b) { return a.second.above > b.second.above; });
  TextTable table;
  table.add({"ms above floor", "ms", "times", "us each", "floor us", "TFLOP/s", "GB/s", "op"});
  for (const auto& [key, s] : order) {
    double each = s.seconds / s.count;
    table.add({fmt::format("{:.3f}", s.above * 1e3), fmt::format("{:.3f}", s.seconds * 1e3), fmt::to_string(s.count),
               fmt::format("{:.1f}", each * 1e6), fmt::format("{:.1f}", (s.seconds - s.above) / s.count * 1e6),
               fmt::format("{:.3g}", s.of.flops / each * 1e-12), fmt::format("{:.3g}", s.of.bytes / each * 1e-9), key});
  }
  print_result(fmt::format("{}\n{}, rung {}; each op alone; floor: {:.3g} TFLOP/s, {:.3g} GB/s\n\n{}", pipeline.device(), pipeline.model(),
                           pipeline.rung(), ceilings.flops * 1e-12, ceilings.bytes * 1e-9, table.text()));
  return exit_ok;
}
}  // namespace

Subcommand add_bench_ops(CLI::App& bench) {
  CLI::App* ops =
      declare(bench, "ops",
              "Times every op of a picture alone; those far above their floor come first.\n\n"
              "  hayate bench ops --device cuda --random sdxl");
  auto command = std::make_shared<BenchPicture>();
  add_bench_picture({ops, "Options"}, *command);
  add_bench_runs({ops, ""}, *command);
  return {ops, [command] { return run(*command); }};
}

}  // namespace hayate::cli
