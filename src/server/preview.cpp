// Least squares over all pixels of the pictures so far, older ones counting less.
#include "server/preview.h"

#include <algorithm>
#include <cmath>

namespace hayate::server {

namespace {

double deviation_of(std::span<const float> values) {
  double sum = 0, squares = 0;
  for (float v : values) sum += v, squares += double(v) * v;
  const double n = double(values.size());
  return std::sqrt(std::max(squares / n - sum / n * sum / n, 1e-12));
}

}  // namespace

int LatentPreview::side_of_pixel(int width, int height, size_t latent_pixels) {
  if (latent_pixels == 0) return 0;
  const int side = int(std::lround(std::sqrt(double(width) * height / double(latent_pixels))));
  return side > 0 && size_t(width / side) * size_t(height / side) == latent_pixels ? side : 0;
}

void LatentPreview::learn(std::span<const float> latent, const Image& image) {
  const size_t pixels = latent.size() / channels;
  const auto side = size_t(side_of_pixel(image.width, image.height, pixels));
  if (side == 0) return;
  constexpr double older = 0.8;
  for (auto& row : products_)
    for (double& v : row) v *= older;
  for (auto& row : targets_)
    for (double& v : row) v *= older;
  const double deviation = deviation_of(latent), newest = 1 / (weight_ * older + 1);
  deviation_ += newest * (deviation - deviation_);
  weight_ = weight_ * older + 1;

  const size_t width = size_t(image.width) / side;
  for (size_t p = 0; p < pixels; ++p) {
    std::array<double, terms> x{};
    for (size_t c = 0; c < channels; ++c) x[c] = latent[p * channels + c];
    x[channels] = 1;
    std::array<double, 3> rgb{};
    for (size_t dy = 0; dy < side; ++dy)
      for (size_t dx = 0; dx < side; ++dx)
        for (size_t c = 0; c < 3; ++c) rgb[c] += image.rgb[((p / width * side + dy) * size_t(image.width) + p % width * side + dx) * 3 + c];
    for (size_t i = 0; i < terms; ++i) {
      for (size_t j = 0; j < terms; ++j) products_[i][j] += x[i] * x[j] / double(pixels);
      for (size_t c = 0; c < 3; ++c) targets_[i][c] += x[i] * rgb[c] / double(side * side * pixels);
    }
  }
  solve();
}

// Cholesky would need positive definite products; a little is added to their diagonal, and then plain elimination is enough.
void LatentPreview::solve() {
  auto a = products_;
  auto b = targets_;
  for (size_t i = 0; i < terms; ++i) a[i][i] += 1e-3 * weight_;
  for (size_t i = 0; i < terms; ++i)
    for (size_t r = 0; r < terms; ++r) {
      if (r == i) continue;
      const double factor = a[r][i] / a[i][i];
      for (size_t c = i; c < terms; ++c) a[r][c] -= factor * a[i][c];
      for (size_t c = 0; c < 3; ++c) b[r][c] -= factor * b[i][c];
    }
  for (size_t i = 0; i < terms; ++i)
    for (size_t c = 0; c < 3; ++c) map_[i][c] = b[i][c] / a[i][i];
}

Image LatentPreview::render(std::span<const float> latent, int width, int height) const {
  Image image{.width = width, .height = height, .rgb = std::vector<uint8_t>(size_t(width) * size_t(height) * 3)};
  const double scale = std::min(1.0, deviation_ / deviation_of(latent));
  for (size_t p = 0; p < size_t(width) * size_t(height); ++p)
    for (size_t c = 0; c < 3; ++c) {
      double value = map_[channels][c];
      for (size_t i = 0; i < channels; ++i) value += scale * latent[p * channels + i] * map_[i][c];
      image.rgb[p * 3 + c] = uint8_t(std::clamp(std::lround(value), 0L, 255L));
    }
  return image;
}

}  // namespace hayate::server
