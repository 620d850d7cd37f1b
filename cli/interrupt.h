// Ctrl-C and SIGTERM as a flag that a running generation looks at between steps.
#pragma once

namespace hayate::cli {

// The first signal sets the flag, a second one ends the process at once. Before any other thread starts. Also ignores SIGPIPE and
// SIGXFSZ, so that writing to a closed pipe or beyond a limit is an error that can be handled.
void watch_signals();
int interrupted();  // the signal's number, or 0

}  // namespace hayate::cli
