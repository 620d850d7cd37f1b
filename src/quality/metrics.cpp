// Distances between two pictures.
#include <cmath>
#include <limits>

#include "core/error.h"
#include "hayate/quality.h"

namespace hayate {

namespace {

constexpr int kWindow = 11;

void require_same_size(const Image& a, const Image& b) {
  require(a.width == b.width && a.height == b.height && a.rgb.size() == b.rgb.size(), ErrorKind::usage,
          "pictures of {}x{} and {}x{} cannot be compared", a.width, a.height, b.width, b.height);
}

std::vector<double> gaussian_window() {
  std::vector<double> w;
  double sum = 0;
  for (int i = 0; i < kWindow; ++i) {
    double x = i - kWindow / 2;
    sum += w.emplace_back(std::exp(-x * x / (2 * 1.5 * 1.5)));
  }
  for (double& v : w) v /= sum;
  return w;
}

struct Plane {
  int width, height;
  std::vector<double> at;
};

// Weighted means over the window at every place where it fits.
Plane blur(const Plane& from) {
  static const std::vector<double> window = gaussian_window();
  Plane rows{from.width - kWindow + 1, from.height, {}};
  rows.at.assign(size_t(rows.width) * size_t(rows.height), 0.0);
  for (int y = 0; y < rows.height; ++y)
    for (int k = 0; k < kWindow; ++k) {
      const double* in = &from.at[size_t(y) * size_t(from.width) + size_t(k)];
      double* out = &rows.at[size_t(y) * size_t(rows.width)];
      for (int x = 0; x < rows.width; ++x) out[x] += window[size_t(k)] * in[x];
    }
  Plane both{rows.width, rows.height - kWindow + 1, {}};
  both.at.assign(size_t(both.width) * size_t(both.height), 0.0);
  for (int y = 0; y < both.height; ++y)
    for (int k = 0; k < kWindow; ++k) {
      const double* in = &rows.at[size_t(y + k) * size_t(rows.width)];
      double* out = &both.at[size_t(y) * size_t(both.width)];
      for (int x = 0; x < both.width; ++x) out[x] += window[size_t(k)] * in[x];
    }
  return both;
}

Plane channel(const Image& image, size_t c) {
  Plane plane{image.width, image.height, {}};
  for (size_t i = c; i < image.rgb.size(); i += 3) plane.at.push_back(image.rgb[i]);
  return plane;
}

Plane product(const Plane& a, const Plane& b) {
  Plane p = a;
  for (size_t i = 0; i < p.at.size(); ++i) p.at[i] *= b.at[i];
  return p;
}

double ssim_of_channel(const Plane& a, const Plane& b) {
  constexpr double c1 = 0.01 * 255 * 0.01 * 255, c2 = 0.03 * 255 * 0.03 * 255;
  Plane ma = blur(a), mb = blur(b), aa = blur(product(a, a)), bb = blur(product(b, b)), ab = blur(product(a, b));
  double sum = 0;
  for (size_t i = 0; i < ma.at.size(); ++i) {
    double x = ma.at[i], y = mb.at[i];
    double variances = (aa.at[i] - x * x) + (bb.at[i] - y * y), covariance = ab.at[i] - x * y;
    sum += (2 * x * y + c1) * (2 * covariance + c2) / ((x * x + y * y + c1) * (variances + c2));
  }
  return sum / double(ma.at.size());
}

}  // namespace

double psnr(const Image& a, const Image& b) {
  require_same_size(a, b);
  double squares = 0;
  for (size_t i = 0; i < a.rgb.size(); ++i) squares += (a.rgb[i] - b.rgb[i]) * (a.rgb[i] - b.rgb[i]);
  return squares == 0 ? std::numeric_limits<double>::infinity() : 10 * std::log10(255.0 * 255.0 * double(a.rgb.size()) / squares);
}

double ssim(const Image& a, const Image& b) {
  require_same_size(a, b);
  require(a.width >= kWindow && a.height >= kWindow, ErrorKind::usage, "a picture of {}x{} is too small for SSIM; expected at least {}x{}", a.width,
          a.height, kWindow, kWindow);
  double sum = 0;
  for (size_t c = 0; c < 3; ++c) sum += ssim_of_channel(channel(a, c), channel(b, c));
  return sum / 3;
}

}  // namespace hayate
