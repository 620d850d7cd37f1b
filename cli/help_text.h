// What --help prints: 80 columns.
#pragma once
#include <CLI/CLI.hpp>

#include "command_doc.h"

namespace hayate::cli {

std::string help_text(const CommandDoc&);
std::string short_help(const CommandDoc&);  // for who typed nothing but the program's name

class HelpFormat : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const override { return help_text(describe(*app)); }
};

}  // namespace hayate::cli
