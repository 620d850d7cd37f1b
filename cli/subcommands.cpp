// What all subcommands have in common, in CLI11's words.
#include "subcommands.h"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace hayate::cli {

CLI::App* declare(CLI::App& parent, const std::string& name, const std::string& description, const std::string& footer) {
  CLI::App* app = parent.add_subcommand(name, description);
  if (!footer.empty()) app->footer(footer);
  return app;
}

std::function<int()> add_all(CLI::App& parent, std::span<const AddSubcommand> all) {
  parent.require_subcommand(1);
  std::vector<Subcommand> added;
  for (AddSubcommand add : all) {
    added.push_back(add(parent));
    added.back().app->get_help_ptr()->group("");  // who reads it has found it
  }
  return [added] { return std::ranges::find_if(added, [](const Subcommand& s) { return s.app->parsed(); })->run(); };
}

}  // namespace hayate::cli
