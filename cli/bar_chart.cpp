// Texts are names of this program, which need no escaping.
#include "bar_chart.h"

#include <fmt/format.h>

#include <algorithm>

namespace hayate::cli {

std::string bar_chart(const std::string& title, const std::vector<Bar>& bars) {
  constexpr int kBar = 26, kGap = 12, kWidth = 560, kRight = 140, kLetter = 8;
  double most = 0;
  size_t longest = 0;
  for (const Bar& b : bars) most = std::max(most, b.value), longest = std::max(longest, b.label.size());
  const int left = 30 + kLetter * int(longest), height = 56 + int(bars.size()) * (kBar + kGap);
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\" font-size=\"14\">\n"
      "<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n<text x=\"16\" y=\"26\" font-size=\"16\" fill=\"#222222\">{2}</text>\n",
      left + kWidth + kRight, height, title);
  for (size_t i = 0; i < bars.size(); ++i) {
    const int y = 44 + int(i) * (kBar + kGap), width = std::max(1, int(kWidth * bars[i].value / most));
    svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"#222222\">{}</text>\n", left - 10, y + 18, bars[i].label);
    svg += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"3\" fill=\"#3b6fb6\"/>\n", left, y, width, kBar);
    svg += fmt::format("<text x=\"{}\" y=\"{}\" fill=\"#222222\">{}</text>\n", left + width + 8, y + 18, bars[i].text);
  }
  return svg + "</svg>\n";
}

}  // namespace hayate::cli
