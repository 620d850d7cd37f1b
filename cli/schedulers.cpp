// hayate schedulers: the sampling methods.
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
  std::string text;
  for (const std::string& name : schedulers()) text += name + "\n";
  print_result(json ? json_text({{"schedulers", schedulers()}}) : text);
  return exit_ok;
}

}  // namespace

Subcommand add_schedulers(CLI::App& app) {
  CLI::App* schedulers = app.add_subcommand("schedulers", "Lists the sampling methods.");
  auto json = std::make_shared<bool>(false);
  add_json({schedulers, "Options"}, "print one JSON object", *json);
  return {schedulers, [json] { return run(*json); }};
}

}  // namespace hayate::cli
