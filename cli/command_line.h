// The command line as something to run.
#pragma once
#include <functional>

namespace hayate::cli {

// What the command line asks for; calling it returns the exit status. Throws Error(usage) that names the option, what was given
// and what is expected.
std::function<int()> parse(int argc, const char* const* argv);

}  // namespace hayate::cli
