// What a file is that was taken for a model and is none.
#pragma once
#include <string>
#include <string_view>

namespace hayate {

// "a git-lfs pointer: the file itself was not downloaded", told from the file's first bytes; empty for what is not known.
std::string describe_foreign_file(std::string_view start);

}  // namespace hayate
