// hayate devices: what programs can run on.
#include <fmt/format.h>

#include <memory>

#include "exit_code.h"
#include "hayate/byte_size.h"
#include "hayate/inspect.h"
#include "output.h"
#include "shared_options.h"
#include "subcommands.h"
#include "text_table.h"

namespace hayate::cli {

namespace {

int run(bool json) {
  TextTable table;
  table.add({"device", "processor", "cores", "instructions", "memory", "available"});
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const DeviceInfo& d : devices()) {
    table.add({d.name, d.processor, fmt::to_string(d.cores), d.instruction_set, size_text(d.memory), size_text(d.memory_available)});
    all.push_back({{"name", d.name},
                   {"processor", d.processor},
                   {"cores", d.cores},
                   {"instruction_set", d.instruction_set},
                   {"memory", d.memory},
                   {"memory_available", d.memory_available}});
  }
  print_result(json ? json_text({{"devices", all}}) : table.text());
  return exit_ok;
}

}  // namespace

Subcommand add_devices(CLI::App& app) {
  CLI::App* devices = app.add_subcommand("devices", "Lists what pictures can be drawn on.");
  auto json = std::make_shared<bool>(false);
  add_json({devices, "Options"}, "print one JSON object", *json);
  return {devices, [json] { return run(*json); }};
}

}  // namespace hayate::cli
