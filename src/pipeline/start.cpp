// Noise, and a picture encoded.
#include "pipeline/start.h"

namespace hayate {

std::vector<float> starting_latents(const Job& job, PictureEncoder& encoder, LatentNoise& noise, CompileSeconds& seconds) {
  const Request& r = job.request;
  std::vector<float> clean;
  if (r.init_image) clean = encoder.encode(resized(*r.init_image, job.width, job.height), noise.draw(), seconds);
  std::vector<float> x = r.latents.empty() ? noise.draw() : r.latents;
  const Mixture& start = job.schedule.start;
  for (float& v : x) v *= float(start.noise);
  for (size_t i = 0; i < clean.size(); ++i) x[i] += float(start.signal) * clean[i];
  return x;
}

}  // namespace hayate
