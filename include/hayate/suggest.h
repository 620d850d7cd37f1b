// What was meant by a misspelt word.
#pragma once
#include <string>
#include <vector>

namespace hayate {

// The closest of the known words, or nothing if none is close: one slip (a wrong, missing, extra or swapped letter) in three letters.
std::string closest(const std::string& word, const std::vector<std::string>& known);

}  // namespace hayate
