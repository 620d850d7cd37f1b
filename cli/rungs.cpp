// hayate rungs: the ladder.
#include "hayate/hayate.h"
#include "list_command.h"

namespace hayate::cli {

namespace {

List list_rungs() {
  List list;
  for (const RungInfo& rung : rungs()) {
    list.table.add({rung.name, rung.what});
    list.rows.push_back({{"name", rung.name}, {"what", rung.what}});
  }
  return list;
}

}  // namespace

Subcommand add_rungs(CLI::App& app) { return add_list(app, "rungs", "Lists the optimisation levels, slowest first.", list_rungs); }

}  // namespace hayate::cli
