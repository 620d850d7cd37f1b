// hayate rungs: the ladder.
#include <memory>

#include "exit_code.h"
#include "hayate/hayate.h"
#include "output.h"
#include "shared_options.h"
#include "subcommands.h"
#include "text_table.h"

namespace hayate::cli {

namespace {

int run(bool json) {
  TextTable table;
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const RungInfo& rung : rungs()) {
    table.add({rung.name, rung.what});
    all.push_back({{"name", rung.name}, {"what", rung.what}});
  }
  print_result(json ? json_text({{"rungs", all}}) : table.text());
  return exit_ok;
}

}  // namespace

Subcommand add_rungs(CLI::App& app) {
  CLI::App* rungs = app.add_subcommand("rungs", "Lists the optimisation levels, slowest first.");
  auto json = std::make_shared<bool>(false);
  add_json({rungs, "Options"}, "print one JSON object", *json);
  return {rungs, [json] { return run(*json); }};
}

}  // namespace hayate::cli
