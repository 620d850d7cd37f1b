// Noise, and pictures encoded.
#include "pipeline/start.h"

#include <algorithm>

#include "pipeline/device_numbers.h"

namespace hayate {

namespace {
// The first noise of each picture, mixed with that of its variation seed.
std::vector<float> first_noise(const Job& job, LatentNoise& noise) {
  std::vector<uint64_t> seeds;
  std::vector<float> strengths;
  for (const Picture& p : job.request.pictures) seeds.push_back(p.variation_seed), strengths.push_back(p.variation_strength);
  if (std::ranges::all_of(strengths, [](float s) { return s == 0; })) return noise.draw();
  LatentNoise other(seeds, job.request.noise, job.request.shared_noise, noise.channels(), job.h, job.w);
  return noise.draw_varied(other, strengths);
}

// The first x of a schedule.
std::vector<float> mixed(const Mixture& first, const std::vector<float>& clean, std::vector<float> noise) {
  for (float& v : noise) v *= float(first.noise);
  for (size_t i = 0; i < clean.size(); ++i) noise[i] += float(first.signal) * clean[i];
  return noise;
}

// Where the mask is 1 the picture gives way to the noise, or to nothing.
void replace_masked(std::vector<float>& clean, const std::vector<float>& mask, MaskContent by, const std::vector<float>& noise, int64_t pictures) {
  const size_t channels = clean.size() / (mask.size() * size_t(pictures));
  for (size_t i = 0; i < clean.size(); ++i)
    if (mask[i / channels % mask.size()] == 1) clean[i] = by == MaskContent::noise ? noise[i] : 0.0f;
}
}  // namespace

LatentNoise noise_of(const Job& job, int64_t channels) {
  std::vector<uint64_t> seeds;
  for (const Picture& p : job.request.pictures) seeds.push_back(p.seed);
  return {seeds, job.request.noise, job.request.shared_noise, channels, job.h, job.w};
}

Start start_of(const Job& job, const Canvas* canvas, const UNetConfig& unet, PictureEncoder& encoder, LatentNoise& noise, Backend& device, CompileSeconds& seconds) {
  const Request& r = job.request;
  if (r.device_latents && !canvas)
    return {.x = std::vector<float>(size_t(count_of(r.device_latents))), .device_x = r.device_latents, .x_factor = float(job.schedule.start.noise)};
  auto encoded = [&](const std::vector<float>& pixels) { return encoder.encode(pixels, job.width, job.height, wrap_of(r), noise.draw(), seconds); };
  Start start;
  // Where nothing of the picture is seen but what the UNet reads beside x, diffusers does not encode the rest.
  if (canvas && !(unet.reads_mask() && r.strength == 1)) start.clean = encoded(pixels_of(canvas->picture()));
  start.noise = r.device_latents ? taken_to_host(device, r.device_latents, "latents") : r.latents.empty() ? first_noise(job, noise) : r.latents;
  if (r.mask) start.mask = canvas->mask();
  if (r.mask_content == MaskContent::noise || r.mask_content == MaskContent::nothing) replace_masked(start.clean, start.mask, r.mask_content, start.noise, job.pictures);
  start.x = mixed(job.schedule.start, start.clean, start.noise);
  if (!r.mask) return start;
  if (unet.reads_mask())
    start.masked = encoded(canvas->masked_pixels());
  else
    static_cast<void>(noise.draw());  // diffusers encodes it for every UNet
  return start;
}

Start start_over(const Job& job, std::vector<float> enlarged, LatentNoise& noise) {
  Start start{.clean = std::move(enlarged), .noise = first_noise(job, noise)};
  start.x = mixed(job.schedule.start, start.clean, start.noise);
  return start;
}

}  // namespace hayate
