// What --help prints: 80 columns.
#pragma once
#include "command_doc.h"

namespace hayate::cli {

std::string help_text(const CommandDoc&);
std::string short_help(const CommandDoc&);  // for who typed nothing but the program's name

}  // namespace hayate::cli
