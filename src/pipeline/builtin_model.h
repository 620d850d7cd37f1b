// Where the built-in model lies.
#pragma once
#include <string>

namespace hayate {

// The first that exists of: share/ beside the bin/ of the running program, share/ of the install prefix, models/ of the
// source tree. Throws Error(not_found) that names all three.
std::string builtin_model_folder();

}  // namespace hayate
