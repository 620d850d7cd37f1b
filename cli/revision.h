// The git revision of the tree that the program was built from.
#pragma once
#include <string>

namespace hayate::cli {

// Twelve hexadecimal digits, with "-dirty" if tracked files differed; "unknown" outside of a checkout. Written by cmake/revision.cmake.
std::string revision();

}  // namespace hayate::cli
