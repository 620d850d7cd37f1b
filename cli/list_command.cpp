// One flag, one way to print.
#include "list_command.h"

#include <memory>

#include "exit_code.h"
#include "output.h"
#include "shared_options.h"

namespace hayate::cli {

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
