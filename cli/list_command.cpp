// One flag, one way to print.
#include "list_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "exit_code.h"
#include "output.h"
#include "shared_options.h"

namespace hayate::cli {

std::string with_other_names(const std::string& what, const std::string& own, std::initializer_list<std::string> others) {
  std::vector<std::string> all;
  for (const std::string& name : others)
    if (!name.empty() && name != own && std::ranges::find(all, name) == all.end()) all.push_back(name);
  return what + (all.empty() ? "" : fmt::format("\nalso {}", fmt::join(all, ", ")));
}

Subcommand add_list(CLI::App& app, const std::string& name, const std::string& description, List (*make)()) {
  CLI::App* command = declare(app, name, description);
  auto json = std::make_shared<bool>(false);
  add_json({command, "Options"}, "print one JSON object", *json);
  return {command, [=] {
            const List list = make();
            print_result(*json ? json_text({{name, list.rows}}) : list.table.text());
            return exit_ok;
          }};
}

}  // namespace hayate::cli
