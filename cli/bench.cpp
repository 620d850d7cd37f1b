// hayate bench: measurements, each a subcommand of its own.
#include <algorithm>

#include "subcommands.h"

namespace hayate::cli {

Subcommand add_bench(CLI::App& app) {
  CLI::App* bench = app.add_subcommand("bench", "Measures a model and a rung: see its subcommands.");
  bench->require_subcommand(1);
  std::vector<Subcommand> all;
  for (auto add : {add_bench_quality}) {
    all.push_back(add(*bench));
    all.back().app->get_help_ptr()->group("");
  }
  return {bench, [all] { return std::ranges::find_if(all, [](const Subcommand& s) { return s.app->parsed(); })->run(); }};
}

}  // namespace hayate::cli
