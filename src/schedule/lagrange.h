// The polynomials by which multistep methods extrapolate.
#pragma once
#include <array>
#include <span>

namespace hayate {

// Coefficients, of powers from 0 on, of the polynomial that is 1 at nodes[k] and 0 at the other nodes, up to 4 of them.
inline std::array<double, 4> lagrange(std::span<const double> nodes, size_t k) {
  std::array<double, 4> p = {1};
  for (size_t j = 0; j < nodes.size(); ++j) {
    if (j == k) continue;
    const double scale = 1 / (nodes[k] - nodes[j]);
    for (size_t power = p.size(); power-- > 0;) p[power] = scale * ((power > 0 ? p[power - 1] : 0) - nodes[j] * p[power]);
  }
  return p;
}

}  // namespace hayate
