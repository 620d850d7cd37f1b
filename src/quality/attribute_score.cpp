// Attributes of one picture fail together, so the number of independent answers is smaller than their count: the variance of the ratio
// over pictures (Cochran, "Sampling Techniques", 6.4) gives a design effect, and Wilson's interval is taken at the count divided by it.
#include "quality/attribute_score.h"

#include <algorithm>
#include <cmath>

namespace hayate {

void AttributeTally::add_picture(int right, int asked) {
  if (asked > 0) pictures_.push_back({right, asked});
}

AttributeScore AttributeTally::score() const {
  AttributeScore s;
  int right = 0;
  for (const Picture& p : pictures_) right += p.right, s.asked += p.asked;
  if (s.asked == 0) return {.score = 0, .low = 0, .high = 1, .asked = 0};
  double asked = s.asked, clusters = double(pictures_.size());
  s.score = right / asked;

  double residuals = 0;
  for (const Picture& p : pictures_) residuals += std::pow(p.right - s.score * p.asked, 2);
  double variance = clusters > 1 ? residuals * clusters / (clusters - 1) / (asked * asked) : 0, binomial = s.score * (1 - s.score) / asked;
  double answers = asked / (binomial > 0 ? std::max(1.0, variance / binomial) : 1.0);

  constexpr double z = 1.959963984540054;
  double middle = s.score + z * z / (2 * answers);
  double half = z * std::sqrt(s.score * (1 - s.score) / answers + z * z / (4 * answers * answers));
  double scale = 1 + z * z / answers;
  s.low = std::max(0.0, (middle - half) / scale);
  s.high = std::min(1.0, (middle + half) / scale);
  return s;
}

}  // namespace hayate
