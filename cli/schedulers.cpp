// hayate schedulers: the sampling methods.
#include "hayate/hayate.h"
#include "list_command.h"

namespace hayate::cli {

namespace {

List list_schedulers() {
  List list;
  for (const std::string& name : schedulers()) {
    list.table.add({name});
    list.rows.push_back(name);
  }
  return list;
}

}  // namespace

Subcommand add_schedulers(CLI::App& app) { return add_list(app, "schedulers", "Lists the sampling methods.", list_schedulers); }

}  // namespace hayate::cli
