// One axis of a grid as it is typed: "steps=4,10,30", "seed=1-5", "strength=0.2-1:0.2", "words=red,blue".
#pragma once
#include <string>
#include <vector>

namespace hayate::cli {

constexpr size_t most_cells = 1000;  // of a grid

struct Axis {
  std::string name;  // empty: there is none, and one value that says nothing
  std::vector<std::string> values;
};

// Values are separated by commas, without the blanks around them. One in double quotes keeps its commas and blanks, and may be empty; "" in it is one
// quote. `option`, in errors, is where the text was given. Throws Error(usage).
Axis parse_axis(const std::string& option, const std::string& text);

// Of an axis of numbers: FIRST-LAST and FIRST-LAST:STEP become what they stand for, both ends included. Whatever else stays as it is.
Axis with_ranges(const std::string& option, const Axis&);

}  // namespace hayate::cli
