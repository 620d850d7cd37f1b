// What every prompt syntax is parsed into.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hayate {

// A stretch of a prompt and how much it counts.
struct WeightedText {
  std::string text;
  double weight = 1;
  bool operator==(const WeightedText&) const = default;
};

constexpr size_t max_nested_brackets = 100;  // each level takes time for all the text within

// A number as Python's float() reads one; NaN for one beyond a double. Nothing if it is none.
std::optional<double> parse_weight(std::string_view);

// Error(usage) if a weight is not finite as a float32.
void require_finite_weights(const std::vector<WeightedText>&);

}  // namespace hayate
