// Steps that land lower than the next sigma, from where new noise brings them up to it.
#pragma once
#include <algorithm>
#include <cmath>

namespace hayate {

struct Landing {
  double sigma, noise;  // sigma^2 + noise^2 is the square of the next sigma
};

// With eta = 1 as much noise as an ancestral sample has, with 0 none.
inline Landing ancestral(double from, double to, double eta) {
  const double noise = std::min(to, eta * to * std::sqrt(1 - to * to / (from * from)));
  return {std::sqrt(to * to - noise * noise), noise};
}

}  // namespace hayate
