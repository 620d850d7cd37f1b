// What a step can be made of, and sums of multiples of it: the algebra in which schedulers are written down.
#pragma once
#include <array>
#include <cstddef>

namespace hayate {

constexpr size_t most_saved = 5;  // values kept from row to row

// of_x * x + of_prediction * prediction + of_noise * unit noise + of_saved[0] * saved[0] + ...
struct Combination {
  double of_x = 0, of_prediction = 0, of_noise = 0;
  std::array<double, most_saved> of_saved = {};
};

constexpr Combination operator*(double factor, Combination c) {
  c.of_x *= factor, c.of_prediction *= factor, c.of_noise *= factor;
  for (double& s : c.of_saved) s *= factor;
  return c;
}
constexpr Combination operator+(Combination a, const Combination& b) {
  a.of_x += b.of_x, a.of_prediction += b.of_prediction, a.of_noise += b.of_noise;
  for (size_t k = 0; k < most_saved; ++k) a.of_saved[k] += b.of_saved[k];
  return a;
}
constexpr Combination operator-(const Combination& a, const Combination& b) { return a + -1 * b; }

constexpr Combination latent = {.of_x = 1}, prediction = {.of_prediction = 1}, new_noise = {.of_noise = 1};
constexpr Combination saved(size_t k) {
  Combination c;
  c.of_saved[k] = 1;
  return c;
}

}  // namespace hayate
