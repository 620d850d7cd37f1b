// Optimal string alignment distance.
#include "hayate/suggest.h"

#include <algorithm>

namespace hayate {

namespace {

size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i)
    for (size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

}  // namespace

std::string closest(const std::string& word, const std::vector<std::string>& known) {
  constexpr size_t longest = 64;  // the cost grows with the square
  std::string best;
  size_t least = std::min(word.size(), longest) / 3 + 1;
  if (word.size() > longest) return best;
  for (const std::string& candidate : known)
    if (size_t d = distance(word, candidate); d < least) best = candidate, least = d;
  return best;
}

}  // namespace hayate
