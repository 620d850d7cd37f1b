// Completion scripts of three shells: subcommands, options, choices and paths.
#pragma once
#include "command_doc.h"

namespace hayate::cli {

std::string bash_completion(const CommandDoc&);
std::string zsh_completion(const CommandDoc&);
std::string fish_completion(const CommandDoc&);

}  // namespace hayate::cli
