// What each subcommand does; the result is the exit status.
#pragma once
#include "options.h"

namespace hayate::cli {

int run(const ShowText&);
int run(const GenerateCommand&);
int run(const CompareCommand&);
int run(const RungsCommand&);

}  // namespace hayate::cli
