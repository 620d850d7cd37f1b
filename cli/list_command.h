// Subcommands that list what there is to choose from.
#pragma once
#include "subcommands.h"
#include "text_table.h"

namespace hayate::cli {

struct List {
  TextTable table{};
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
};

// A sentence, and below it the names that others have for the thing called `own`.
std::string with_other_names(const std::string& what, const std::string& own, std::initializer_list<std::string> others);

// The command `name` prints the table, or with --json the rows as {"name": [...]}.
Subcommand add_list(CLI::App&, const std::string& name, const std::string& description, List (*make)());

}  // namespace hayate::cli
