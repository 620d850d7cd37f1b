// The upscalers of Request::hires.
#include "pipeline/enlarge.h"

#include "core/error.h"
#include "image/resample.h"

namespace hayate {

namespace {
std::vector<Taps> latent_taps(Upscaler by, int64_t from, int64_t to) {
  switch (by) {
    case Upscaler::latent: return linear_taps(from, to);
    case Upscaler::latent_bicubic: return cubic_taps(from, to);
    case Upscaler::latent_nearest: return nearest_taps(from, to);
    case Upscaler::lanczos: break;
  }
  fail(ErrorKind::internal, "the upscaler {} is not one of latents", int(by));
}
}  // namespace

std::vector<UpscalerInfo> upscalers() {
  return {{Upscaler::latent, "latent", "Latent"},
          {Upscaler::latent_bicubic, "latent-bicubic", "Latent (bicubic)"},
          {Upscaler::latent_nearest, "latent-nearest", "Latent (nearest-exact)"},
          {Upscaler::lanczos, "lanczos", "Lanczos"}};
}

bool enlarges_latents(Upscaler by) { return by != Upscaler::lanczos; }

std::vector<float> enlarged(const std::vector<float>& latents, int64_t pictures, int64_t h, int64_t w, int64_t to_h, int64_t to_w, Upscaler by) {
  const std::vector<Taps> rows = latent_taps(by, h, to_h), columns = latent_taps(by, w, to_w);
  const size_t each = latents.size() / size_t(pictures);
  std::vector<float> all;
  for (size_t at = 0; at < latents.size(); at += each) {
    const std::vector<float> one = resampled(std::span(latents).subspan(at, each), w, int64_t(each) / (h * w), rows, columns);
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

Image enlarged(const Image& image, int width, int height) {
  return resampled(image, lanczos_taps(image.height, height), lanczos_taps(image.width, width));
}

}  // namespace hayate
