// The checks of a request that need no weights.
#include "pipeline/job.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "models/unet.h"
#include "pipeline/device_numbers.h"
#include "pipeline/diffusion_model.h"
#include "pipeline/not_finite.h"

namespace hayate {

namespace {

int side_of(const Request& r, int asked, int Image::*own, const UNetConfig& unet, int downscale) {
  if (asked) return asked;
  return r.init_image && !r.mask_area ? (*r.init_image).*own / downscale * downscale : int(unet.sample_size) * downscale;
}

void check_pictures(const Request& r) {
  require(r.pictures.size() >= 1 && r.pictures.size() <= size_t(kMaxPictures), ErrorKind::usage, "a request of {} pictures; expected 1 to {}",
          r.pictures.size(), kMaxPictures);
  for (const Picture& p : r.pictures) {
    require(p.guidance >= 0 && p.guidance <= 1000, ErrorKind::usage, "guidance is {}; expected 0 to 1000", p.guidance);
    for (float score : {p.aesthetic_score, p.negative_aesthetic_score})
      require(score >= 0 && score <= 100, ErrorKind::usage, "aesthetic_score is {}; expected 0 to 100", score);
    require(p.variation_strength >= 0 && p.variation_strength <= 1, ErrorKind::usage, "variation_strength is {}; expected 0 to 1", p.variation_strength);
    require(p.mimic_guidance >= 0 && p.mimic_guidance <= 1000, ErrorKind::usage, "mimic_guidance is {}; expected 0 to 1000", p.mimic_guidance);
    require(p.guidance_rescale >= 0 && p.guidance_rescale <= 1, ErrorKind::usage, "guidance_rescale is {}; expected 0 to 1", p.guidance_rescale);
  }
}

void check_image(const Image& image, const char* name) {
  require(image.width > 0 && image.height > 0 && int64_t(image.rgb.size()) == int64_t{3} * image.width * image.height, ErrorKind::usage, "{}: {} bytes for {}x{} pixels", name,
          image.rgb.size(), image.width, image.height);
}

void check_mask(const Request& r, const UNetConfig& unet) {
  require(r.mask || !unet.reads_mask(), ErrorKind::usage, "the model is made for inpainting: it needs a picture to start from and a mask");
  require(r.mask || (r.mask_blur == 0 && !r.mask_area && r.mask_content == MaskContent::original), ErrorKind::usage, "mask_blur, mask_area and mask_content need a mask");
  if (!r.mask) return;
  require(r.init_image.has_value(), ErrorKind::usage, "a mask needs a picture to start from");
  check_image(*r.mask, "mask");
  require(r.mask_content >= MaskContent::original && r.mask_content <= MaskContent::nothing, ErrorKind::usage, "there is no mask_content {}", int(r.mask_content));
  require(r.mask_blur >= 0 && r.mask_blur <= 1000, ErrorKind::usage, "mask_blur is {}; expected 0 to 1000", r.mask_blur);
  require(r.mask_area.value_or(0) >= 0 && r.mask_area.value_or(0) <= kMaxSide, ErrorKind::usage, "mask_area is {}; expected 0 to {}", r.mask_area.value_or(0), kMaxSide);
}

void check_hires(const Request& r) {
  const Hires& h = *r.hires;
  require(!r.init_image, ErrorKind::usage, "hires is a second pass after one that starts from noise: it does not go together with a picture to start from");
  require(h.upscaler >= Upscaler::latent && h.upscaler <= Upscaler::lanczos, ErrorKind::usage, "there is no upscaler {}", int(h.upscaler));
  require(h.scale >= 1 && h.scale <= 8, ErrorKind::usage, "hires scale is {}; expected 1 to 8", h.scale);
  require(h.strength >= 0 && h.strength <= 1, ErrorKind::usage, "hires strength is {}; expected 0 to 1", h.strength);
  require(h.steps >= 0 && h.steps <= kMaxSteps, ErrorKind::usage, "hires steps is {}; expected 0 to {}", h.steps, kMaxSteps);
}

// The steps of a part. As in diffusers, the one that hands over does those down to a timestep, and the one that goes on those below it.
Schedule schedule_of(const SchedulerConfig& config, int steps, double handover, ScheduleOptions options, Part part) {
  if (part == Part::all) return make_schedule(config, steps, options);
  require(handover > 0 && handover < 1, ErrorKind::usage, "handover is {}; expected more than 0 and less than 1", handover);
  const int second = first_step_below(config, steps, options, std::nearbyint(config.num_train_timesteps * (1 - handover)));
  require(second < steps, ErrorKind::usage, "handover {} of {} steps leaves no step to the refiner", handover, steps);
  Schedule whole = make_schedule(config, steps, options);
  options.strength.reset(), options.begin = second;
  Schedule rest = make_schedule(config, steps, options);
  if (part == Part::after_handover) return rest;
  require(rest.rows.size() < whole.rows.size(), ErrorKind::usage, "handover {} of {} steps leaves no step to the model before the refiner", handover, steps);
  whole.rows.resize(whole.rows.size() - (rest.rows.size() - size_t(rest.lead)));  // mixtures stay: the last step leaves one behind
  return whole;
}

}  // namespace

Job check_request(const Request& r, const UNetConfig& unet, const SchedulerConfig& scheduler, Part part, bool enlarged, int downscale) {
  check_pictures(r);
  Job job{.request = r,
          .width = side_of(r, r.width, &Image::width, unet, downscale),
          .height = side_of(r, r.height, &Image::height, unet, downscale),
          .pictures = int64_t(r.pictures.size()),
          .h = 0,
          .w = 0,
          .enlarged = enlarged,
          .mimics = std::ranges::any_of(r.pictures, [](const Picture& p) { return p.mimic_guidance > 0; }),
          .guided = false,
          .schedule = {},
          .plan = {},
          .prompts = {}};
  auto check_size = [&](const char* of) {
    for (auto [name, side] : {std::pair("width", job.width), std::pair("height", job.height)})
      require(side > 0 && side <= kMaxSide && side % downscale == 0, ErrorKind::usage, "{}{} is {}; expected a multiple of {} up to {}", of, name, side,
              downscale, kMaxSide);
  };
  check_size("");
  if (r.hires) check_hires(r);
  if (enlarged) {
    for (int* side : {&job.width, &job.height}) *side = int(*side * r.hires->scale) / downscale * downscale;
    check_size("hires ");
  }
  job.h = job.height / downscale;
  job.w = job.width / downscale;
  require(r.steps >= 1 && r.steps <= kMaxSteps, ErrorKind::usage, "steps is {}; expected 1 to {}", r.steps, kMaxSteps);
  require(r.clip_skip >= 0, ErrorKind::usage, "clip_skip is {}; expected 0 or more", r.clip_skip);
  const int64_t latent = job.pictures * job.h * job.w * unet.out_channels;
  require(r.latents.empty() || enlarged || int64_t(r.latents.size()) == latent, ErrorKind::usage, "latents hold {} numbers; expected {}", r.latents.size(), latent);
  require(all_finite(r.latents), ErrorKind::usage, "latents hold a number that is not finite");
  if (r.device_latents && !enlarged) check_array(r.device_latents, {job.pictures, job.h, job.w, unet.out_channels}, r.latents, "latents, seen as (pictures, height/8, width/8, channels),");
  if (r.init_image) check_image(*r.init_image, "init_image");
  check_mask(r, unet);

  ScheduleOptions options{.name = r.scheduler, .spacing = r.spacing, .eta = r.eta, .s_noise = r.s_noise, .s_churn = r.s_churn, .s_tmin = r.s_tmin,
                          .s_tmax = r.s_tmax, .is_sdxl = unet.text_time};
  if (r.init_image && !(r.mask && r.strength == 1)) options.strength = r.strength;
  if (enlarged) options.strength = r.hires->strength;
  job.schedule = schedule_of(scheduler, enlarged && r.hires->steps ? r.hires->steps : r.steps, r.handover, options, part);
  // A network that is told the guidance scale needs no unconditional half.
  const bool guided = std::ranges::any_of(r.pictures, [](const Picture& p) { return p.guidance > 1; }) && unet.guidance_embed_dim == 0;
  job.plan = plan_steps(int(job.schedule.rows.size()), guided, r);
  job.guided = job.plan.guided();
  if (r.deepcache.interval > 1) static_cast<void>(skip_name(unet, r.deepcache.branch));  // throws where there is none
  return job;
}

Job make_job(const Request& r, const DiffusionModel& model, const SchedulerConfig& scheduler, Part part, bool enlarged, int downscale, const Warn& warn) {
  Job job = check_request(r, model.unet(), scheduler, part, enlarged, downscale);
  job.prompts = model.conditioner().read(r, job.guided, warn);
  return job;
}

std::array<int, 2> picture_size(const Job& job) {
  const Request& r = job.request;
  return r.mask_area ? std::array{r.init_image->width, r.init_image->height} : std::array{job.width, job.height};
}

}  // namespace hayate
