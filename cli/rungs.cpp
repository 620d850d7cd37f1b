// hayate rungs: the ladder.
#include <fmt/format.h>

#include "exit_code.h"
#include "hayate/hayate.h"
#include "output.h"
#include "subcommands.h"

namespace hayate::cli {

namespace {

int run() {
  std::string text;
  for (const RungInfo& rung : rungs()) text += fmt::format("{:<12} {}\n", rung.name, rung.what);
  print_result(text);
  return exit_ok;
}

}  // namespace

Subcommand add_rungs(CLI::App& app) { return {app.add_subcommand("rungs", "List the optimisation levels, slowest first"), run}; }

}  // namespace hayate::cli
