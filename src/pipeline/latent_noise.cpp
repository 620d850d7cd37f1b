// torch draws (n, channels, h, w); latents here are channels last.
#include "pipeline/latent_noise.h"

namespace hayate {

namespace {
RandnType type_of(Noise kind) {
  switch (kind) {
    case Noise::torch_cpu: return RandnType::f32;
    case Noise::torch_cpu_fp16: return RandnType::f16;
    case Noise::torch_cpu_bf16: return RandnType::bf16;
  }
  return RandnType::f32;
}
}  // namespace

LatentNoise::LatentNoise(const std::vector<uint64_t>& seeds, Noise kind, bool shared, int64_t channels, int64_t h, int64_t w)
    : pictures_(int64_t(seeds.size())), channels_(channels), h_(h), w_(w), type_(type_of(kind)) {
  for (uint64_t seed : seeds) {
    generators_.emplace_back(seed);
    if (shared) break;
  }
}

std::vector<float> LatentNoise::draw() {
  int64_t area = h_ * w_, each = channels_ * area;
  std::vector<float> planes(size_t(pictures_ * each)), latents(planes.size());
  std::span<float> all(planes);
  size_t part = all.size() / generators_.size();
  for (size_t g = 0; g < generators_.size(); ++g) generators_[g].randn(all.subspan(g * part, part), type_);
  for (int64_t n = 0; n < pictures_; ++n)
    for (int64_t c = 0; c < channels_; ++c)
      for (int64_t i = 0; i < area; ++i) latents[size_t(n * each + i * channels_ + c)] = planes[size_t(n * each + c * area + i)];
  return latents;
}

}  // namespace hayate
