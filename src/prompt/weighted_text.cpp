// Numbers of weights.
#include "prompt/weighted_text.h"

#include <charconv>
#include <cmath>

#include "core/error.h"

namespace hayate {

std::optional<double> parse_weight(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) return std::nullopt;
  return error == std::errc() ? value : NAN;
}

void require_finite_weights(const std::vector<WeightedText>& texts) {
  for (const WeightedText& t : texts)
    require(std::isfinite(float(t.weight)), ErrorKind::usage, "the prompt gives \"{:.60}\" the weight {}, expected a finite number", t.text, t.weight);
}

}  // namespace hayate
