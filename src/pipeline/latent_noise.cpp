// torch draws (n, channels, h, w); latents here are channels last.
#include "pipeline/latent_noise.h"

#include <algorithm>
#include <cmath>

#include "core/philox.h"
#include "core/random.h"

namespace hayate {

namespace {

std::function<void(std::span<float>)> generator(Noise kind, uint64_t seed) {
  auto on_cpu = [seed](RandnType type) {
    return [generator = TorchCpuGenerator(seed), type](std::span<float> out) mutable { generator.randn(out, type); };
  };
  switch (kind) {
    case Noise::torch_cpu: break;
    case Noise::torch_cpu_fp16: return on_cpu(RandnType::f16);
    case Noise::torch_cpu_bf16: return on_cpu(RandnType::bf16);
    case Noise::torch_cuda: return [generator = TorchCudaGenerator(seed)](std::span<float> out) mutable { generator.randn(out); };
  }
  return on_cpu(RandnType::f32);
}

// From a to b on an arc through each column of the latent, which is what AUTOMATIC1111's web UI takes for a vector. (h, w, channels), changed in place.
void turn(std::span<float> a, std::span<const float> b, float strength, size_t line) {
  struct Column {
    double aa = 0, bb = 0, ab = 0;
  };
  std::vector<Column> columns(line);
  for (size_t i = 0; i < a.size(); ++i) {
    Column& c = columns[i % line];
    c.aa += double(a[i]) * double(a[i]), c.bb += double(b[i]) * double(b[i]), c.ab += double(a[i]) * double(b[i]);
  }
  for (size_t i = 0; i < a.size(); ++i) {
    const Column& c = columns[i % line];
    const double angle = std::acos(std::clamp(c.ab / std::sqrt(c.aa * c.bb), -1.0, 1.0)), whole = std::sin(angle);
    const double of_a = whole < 1e-6 ? 1 - double(strength) : std::sin((1 - double(strength)) * angle) / whole;
    const double of_b = whole < 1e-6 ? double(strength) : std::sin(double(strength) * angle) / whole;
    a[i] = float(of_a * double(a[i]) + of_b * double(b[i]));
  }
}
}  // namespace

LatentNoise::LatentNoise(const std::vector<uint64_t>& seeds, Noise kind, bool shared, int64_t channels, int64_t h, int64_t w)
    : pictures_(int64_t(seeds.size())), channels_(channels), h_(h), w_(w) {
  for (uint64_t seed : seeds) {
    generators_.push_back(generator(kind, seed));
    if (shared) break;
  }
}

std::vector<float> LatentNoise::draw() {
  int64_t area = h_ * w_, each = channels_ * area;
  std::vector<float> planes(size_t(pictures_ * each)), latents(planes.size());
  std::span<float> all(planes);
  size_t part = all.size() / generators_.size();
  for (size_t g = 0; g < generators_.size(); ++g) generators_[g](all.subspan(g * part, part));
  for (int64_t n = 0; n < pictures_; ++n)
    for (int64_t c = 0; c < channels_; ++c)
      for (int64_t i = 0; i < area; ++i) latents[size_t(n * each + i * channels_ + c)] = planes[size_t(n * each + c * area + i)];
  return latents;
}

std::vector<float> LatentNoise::draw_varied(LatentNoise& other, std::span<const float> strengths) {
  std::vector<float> drawn = draw();
  const std::vector<float> others = other.draw();
  const size_t each = drawn.size() / strengths.size();
  for (size_t i = 0; i < strengths.size(); ++i)
    if (strengths[i] > 0) turn(std::span(drawn).subspan(i * each, each), std::span(others).subspan(i * each, each), strengths[i], size_t(w_ * channels_));
  return drawn;
}

}  // namespace hayate
