// hayate schedulers: the sampling methods.
#include "hayate/hayate.h"
#include "list_command.h"

namespace hayate::cli {

namespace {

List list_schedulers() {
  List list;
  for (const SchedulerInfo& scheduler : schedulers()) {
    list.table.add({scheduler.name, scheduler.what});
    list.rows.push_back(scheduler.name);
  }
  return list;
}

}  // namespace

Subcommand add_schedulers(CLI::App& app) { return add_list(app, "schedulers", "Lists the sampling methods.", list_schedulers); }

}  // namespace hayate::cli
