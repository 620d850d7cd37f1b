// Prompts from a file, one a line.
#pragma once
#include <string>
#include <vector>

namespace hayate {

// The lines of a text, without blank lines and those whose first character is #. `what` names the text in errors: Error(bad_file)
// with the number of a line that is not UTF-8 or has a zero byte.
std::vector<std::string> prompt_lines(const std::string& text, const std::string& what);

}  // namespace hayate
