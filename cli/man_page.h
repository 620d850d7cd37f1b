// The man page hayate(1).
#pragma once
#include "command_doc.h"

namespace hayate::cli {

// In the macros of man(7).
std::string man_page(const CommandDoc&, const std::string& version);

}  // namespace hayate::cli
