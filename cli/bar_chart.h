// A chart of horizontal bars as SVG.
#pragma once
#include <string>
#include <vector>

namespace hayate::cli {

struct Bar {
  std::string label, text;  // before the bar and after it
  double value;
};
std::string bar_chart(const std::string& title, const std::vector<Bar>&);

}  // namespace hayate::cli
