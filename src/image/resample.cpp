// Sums over one side, of floats or of bytes.
#include "image/resample.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "core/parallel.h"

namespace hayate {

namespace {
// The place in what there is of the middle of number `i`.
double place_of(int64_t i, int64_t from, int64_t to) { return (double(i) + 0.5) * double(from) / double(to) - 0.5; }

// Neighbours first .. first + weights.size() - 1, of which those beyond the edges are as the edge.
Taps clamped(int64_t first, const std::vector<double>& weights, int64_t from) {
  const int64_t last = std::min(first + int64_t(weights.size()), from) - 1, begin = std::clamp<int64_t>(first, 0, from - 1);
  Taps taps{.first = begin, .weights = std::vector<float>(size_t(std::max(last, begin) - begin + 1))};
  for (size_t i = 0; i < weights.size(); ++i) taps.weights[size_t(std::clamp<int64_t>(first + int64_t(i), 0, from - 1) - begin)] += float(weights[i]);
  return taps;
}

std::vector<Taps> each(int64_t to, auto taps_of) {
  std::vector<Taps> all;
  for (int64_t i = 0; i < to; ++i) all.push_back(taps_of(i));
  return all;
}

double lanczos(double x) {
  constexpr double lobes = 3;
  auto sinc = [](double v) { return v == 0 ? 1.0 : std::sin(v * std::numbers::pi) / (v * std::numbers::pi); };
  return std::abs(x) < lobes ? sinc(x) * sinc(x / lobes) : 0;
}

template <class T>
T rounded(double sum) {
  if constexpr (std::is_floating_point_v<T>) return T(sum);
  return T(std::clamp(sum + 0.5, 0.0, 255.0));
}

// (outer, n, inner) to (outer, taps.size(), inner).
template <class T>
std::vector<T> along(std::span<const T> values, int64_t outer, int64_t inner, const std::vector<Taps>& taps) {
  const int64_t from = int64_t(values.size()) / (outer * inner), to = int64_t(taps.size());
  std::vector<T> result(size_t(outer * to * inner));
  parallel_for(outer * to, 16, [&](int64_t begin, int64_t end) {
    std::vector<double> sums(static_cast<size_t>(inner));
    for (int64_t at = begin; at < end; ++at) {
      const Taps& t = taps[size_t(at % to)];
      const T* source = &values[size_t((at / to * from + t.first) * inner)];
      std::ranges::fill(sums, 0.0);
      for (float weight : t.weights)
        for (double& sum : sums) sum += double(weight) * double(*source++);
      std::ranges::transform(sums, &result[size_t(at * inner)], rounded<T>);
    }
  });
  return result;
}

template <class T>
std::vector<T> along_both(std::span<const T> values, int64_t w, int64_t channels, const std::vector<Taps>& rows, const std::vector<Taps>& columns) {
  const std::vector<T> wide = along(values, int64_t(values.size()) / (w * channels), channels, columns);
  return along(std::span<const T>(wide), 1, int64_t(columns.size()) * channels, rows);
}
}  // namespace

std::vector<Taps> linear_taps(int64_t from, int64_t to) {
  return each(to, [=](int64_t i) {
    const double place = place_of(i, from, to), left = std::floor(place), t = place - left;
    return clamped(int64_t(left), {1 - t, t}, from);
  });
}

std::vector<Taps> cubic_taps(int64_t from, int64_t to) {
  constexpr double a = -0.75;
  auto near = [](double d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };
  auto far = [](double d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
  return each(to, [=](int64_t i) {
    const double place = place_of(i, from, to), left = std::floor(place), t = place - left;
    return clamped(int64_t(left) - 1, {far(1 + t), near(t), near(1 - t), far(2 - t)}, from);
  });
}

std::vector<Taps> nearest_taps(int64_t from, int64_t to) {
  return each(to, [=](int64_t i) { return clamped(int64_t(std::floor((double(i) + 0.5) * double(from) / double(to))), {1}, from); });
}

std::vector<Taps> lanczos_taps(int64_t from, int64_t to) {
  return each(to, [=](int64_t i) {
    const double scale = std::max(1.0, double(from) / double(to)), middle = place_of(i, from, to) + 0.5, support = 3 * scale;
    const auto begin = std::max<int64_t>(int64_t(middle - support + 0.5), 0), end = std::min(int64_t(middle + support + 0.5), from);
    std::vector<double> weights;
    for (int64_t at = begin; at < end; ++at) weights.push_back(lanczos((double(at) - middle + 0.5) / scale));
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    for (double& w : weights) w = std::round(w / sum * 0x1p22) * 0x1p-22;  // Pillow's fixed point
    return clamped(begin, weights, from);
  });
}

std::vector<float> resampled(std::span<const float> values, int64_t w, int64_t channels, const std::vector<Taps>& rows, const std::vector<Taps>& columns) {
  return along_both(values, w, channels, rows, columns);
}

Image resampled(const Image& image, const std::vector<Taps>& rows, const std::vector<Taps>& columns) {
  return {.width = int(columns.size()), .height = int(rows.size()), .rgb = along_both(std::span(image.rgb), image.width, 3, rows, columns)};
}

}  // namespace hayate
