// "prompt / Negative prompt: .. / Steps: .., Sampler: .., .." with the sampler names of AUTOMATIC1111.
#include "pipeline/infotext.h"

#include <map>

#include "core/error.h"

namespace hayate {

namespace {
std::string sampler_name(const std::string& scheduler) {
  static const std::map<std::string, std::string> names = {{"euler", "Euler"}, {"EulerDiscreteScheduler", "Euler"}};
  auto found = names.find(scheduler);
  return found == names.end() ? scheduler : found->second;
}
}  // namespace

std::string infotext(const Request& r, const Picture& p, const InfotextFields& f) {
  std::string text = p.prompt + "\n";
  if (!p.negative_prompt.empty()) text += "Negative prompt: " + p.negative_prompt + "\n";
  text += fmt::format("Steps: {}, Sampler: {}, ", r.steps, sampler_name(f.scheduler));
  if (f.karras) text += "Schedule type: Karras, ";
  text += fmt::format("CFG scale: {:g}, Seed: {}, Size: {}x{}, Model: {}, ", p.guidance, p.seed, f.width, f.height, f.model);
  if (r.clip_skip) text += fmt::format("Clip skip: {}, ", r.clip_skip + 1);
  if (p.guidance_rescale != 0) text += fmt::format("CFG rescale: {:g}, ", p.guidance_rescale);
  return text + "RNG: CPU, Version: hayate " + version();
}

}  // namespace hayate
