// What the exit status of `hayate` means, and the text about it in --help.
#pragma once
#include <string>

#include "hayate/error.h"

namespace hayate::cli {

constexpr int exit_ok = 0, exit_different = 1, exit_internal = 7;
int exit_code(ErrorKind);
std::string exit_code_help();

}  // namespace hayate::cli
