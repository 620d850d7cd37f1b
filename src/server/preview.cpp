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

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += double(a[i]) * b[i];
  return sum;
}

// What differs from the pixels to the right and below: much of noise, little of pictures.
std::vector<float> differences(std::span<const float> latent, size_t width, size_t height) {
  constexpr size_t c = LatentPreview::channels;
  std::vector<float> result;
  result.reserve(2 * latent.size());
  for (size_t y = 0; y + 1 < height; ++y)
    for (size_t x = 0; x + 1 < width; ++x)
      for (size_t at = (y * width + x) * c, end = at + c; at < end; ++at) {
        result.push_back(latent[at + c] - latent[at]);
        result.push_back(latent[at + width * c] - latent[at]);
      }
  return result;
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

// Two latents, one after the other, are mixtures of two things: of the picture that the model foresees, and of the noise that it sees. The
// picture is the mixture of the two latents that is smoothest for its size: of x^T A x / x^T B x the smallest, where A is about differences
// between neighbours and B about values. So nothing need be known of the scheduler; where it adds noise of its own, least of both is left.
std::vector<float> LatentPreview::foreseen(std::span<const float> before, std::span<const float> now, int width, int height) {
  std::vector<float> step(now.size());
  for (size_t i = 0; i < now.size(); ++i) step[i] = now[i] - before[i];
  const std::vector<float> rough = differences(now, size_t(width), size_t(height)), rough_step = differences(step, size_t(width), size_t(height));
  const double a11 = dot(rough, rough), a12 = dot(rough, rough_step), a22 = dot(rough_step, rough_step);
  const double b11 = dot(now, now), b12 = dot(now, step), b22 = dot(step, step);
  const double p = b11 * b22 - b12 * b12, q = a11 * b22 + a22 * b11 - 2 * a12 * b12, r = a11 * a22 - a12 * a12;
  if (!(p > 1e-9 * b11 * b22)) return {now.begin(), now.end()};  // the step went nowhere else
  const double smallest = (q - std::sqrt(std::max(q * q - 4 * p * r, 0.0))) / (2 * p), x = smallest * b12 - a12, y = a11 - smallest * b11;
  for (size_t i = 0; i < now.size(); ++i) step[i] = float(x * now[i] + y * step[i]);
  const double size = dot(step, step), scale = size > 0 ? dot(now, step) / size : 0;  // as much of it as there is in `now`
  for (float& v : step) v *= float(scale);
  return step;
}

Image LatentPreview::render(std::span<const float> latent, int width, int height, double progress) const {
  Image image{.width = width, .height = height, .rgb = std::vector<uint8_t>(size_t(width) * size_t(height) * 3)};
  const double usual = deviation_ / deviation_of(latent), scale = usual < 1 ? usual : std::pow(usual, 1 - progress);
  for (size_t p = 0; p < size_t(width) * size_t(height); ++p)
    for (size_t c = 0; c < 3; ++c) {
      double value = map_[channels][c];
      for (size_t i = 0; i < channels; ++i) value += scale * latent[p * channels + i] * map_[i][c];
      image.rgb[p * 3 + c] = uint8_t(std::clamp(std::lround(value), 0L, 255L));
    }
  return image;
}

}  // namespace hayate::server
