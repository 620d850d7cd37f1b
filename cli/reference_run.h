// A reference dump that says which request it came from, so that a model can be run against it.
#pragma once
#include "hayate/hayate.h"

namespace hayate::cli {

// Runs the request of the dump's metadata (tools/dump_reference.py request writes it) and compares every value that both have.
// Error(bad_file) for a dump without a request, or with one that cannot be understood.
std::vector<Difference> run_against(const std::string& reference, const Options&);

}  // namespace hayate::cli
