// hayate devices: what programs can run on.
#include <fmt/format.h>

#include "hayate/byte_size.h"
#include "hayate/inspect.h"
#include "list_command.h"

namespace hayate::cli {

namespace {

List list_devices() {
  List list;
  list.table.add({"device", "processor", "cores", "instructions", "memory", "available", ""});
  for (const DeviceInfo& d : devices()) {
    const bool there = d.memory > 0;
    list.table.add({d.name, there ? d.processor : "none", there ? fmt::to_string(d.cores) : "", d.instruction_set, there ? size_text(d.memory) : "",
                    there ? size_text(d.memory_available) : "", d.problem});
    list.rows.push_back({{"name", d.name},
                         {"processor", d.processor},
                         {"cores", d.cores},
                         {"instruction_set", d.instruction_set},
                         {"memory", d.memory},
                         {"memory_available", d.memory_available},
                         {"problem", d.problem}});
  }
  return list;
}

}  // namespace

Subcommand add_devices(CLI::App& app) { return add_list(app, "devices", "Lists what pictures can be drawn on.", list_devices); }

}  // namespace hayate::cli
