// Names and defaults as in the web UI 1.10 (modules/api/models.py), but for size and steps, which are ours.
#include "server/a1111_fields.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "prompt/a1111_networks.h"
#include "server/upload.h"

namespace hayate::server {

namespace {

// What would change the picture: refused unless it has a value that asks for nothing.
constexpr const char* refused[] = {"restore_faces",      "styles",            "subseed_strength",   "script_name",        "script_args", "alwayson_scripts", "refiner_checkpoint",
                                   "refiner_switch_at",  "firstphase_width",  "firstphase_height",  "seed_resize_from_h", "seed_resize_from_w", "infotext", "force_task_id"};

bool asks_for_nothing(const std::string& key, const Json& value) {
  if (key == "force_task_id") return true;
  if (value.is_null() || value == false || value == "" || value == 0 || value == -1) return true;
  return (value.is_array() || value.is_object()) && std::ranges::all_of(value, [](const Json& v) { return v.is_null() || v.empty(); });
}

bool has_option(const std::string& scheduler, const std::string& option) {
  return std::ranges::any_of(schedulers(), [&](const SchedulerInfo& s) { return s.name == scheduler && std::ranges::find(s.options, option) != s.options.end(); });
}

// The web UI tells eta and churn to samplers that have them, and ignores them for others.
void read_sampler(const JsonObject& body, DrawFields& f) {
  const std::string sampler = body.string(body.has("sampler_name") ? "sampler_name" : "sampler_index", "");
  if (!sampler.empty() && sampler != "Automatic") {
    const NamedSampler meant = scheduler_named(sampler);  // versions before 1.9 wrote the schedule type behind it
    f.scheduler = meant.scheduler, f.spacing = meant.spacing;
  }
  const std::string type = body.string("scheduler", "");
  if (!type.empty() && type != "Automatic" && type != "automatic") f.spacing = spacing_name(type);
  read_noise_fields(body, f);
  if (!has_option(f.scheduler, "eta")) f.eta.reset();
  if (!has_option(f.scheduler, "s_churn")) f.s_churn.reset(), f.s_tmin.reset(), f.s_tmax.reset();
  if (f.s_noise == 1 || (!has_option(f.scheduler, "eta") && f.s_churn.value_or(0) == 0)) f.s_noise.reset();
}

[[noreturn]] void missing(const char* key, const std::string& why) {
  throw HttpError{501, fmt::format("\"{}\": {}", key, why), "not_implemented"};
}

// What only the second pass of the web UI can have otherwise, and the field of the first that it may repeat.
constexpr std::pair<const char*, const char*> of_second_pass[] = {{"hr_checkpoint_name", "sd_model_checkpoint"}, {"hr_sampler_name", "sampler_name"}, {"hr_scheduler", "scheduler"},
                                                                 {"hr_prompt", "prompt"}, {"hr_negative_prompt", "negative_prompt"}, {"hr_cfg", "cfg_scale"}};

// By how much a side is enlarged to `wanted`: no less than that after rounding.
double scale_to(int64_t wanted, int64_t from) {
  const double scale = double(wanted) / double(from);
  return int64_t(double(from) * scale) < wanted ? std::nextafter(scale, 1e9) : scale;
}

// One side, or both where they have the shape of the first pass.
double scale_of(const JsonObject& body, int64_t width, int64_t height) {
  const int64_t to_width = body.integer("hr_resize_x", 0, 16384, 0), to_height = body.integer("hr_resize_y", 0, 16384, 0);
  if (to_width == 0 && to_height == 0) return body.number("hr_scale", 1, 8, 2);
  require(width > 0 && height > 0, ErrorKind::usage, "\"hr_resize_x\" and \"hr_resize_y\" need \"width\" and \"height\" of the first pass");
  if (to_width && to_height && to_width * height != to_height * width) missing("hr_resize_y", "another shape than that of the first pass does not exist here");
  return to_width ? scale_to(to_width, width) : scale_to(to_height, height);
}

Upscaler upscaler_of(const std::string& label) {
  const std::vector<UpscalerInfo> all = upscalers();
  const auto found = std::ranges::find(all, label, &UpscalerInfo::label);
  if (found != all.end()) return found->upscaler;
  std::vector<std::string> labels;
  for (const UpscalerInfo& info : all) labels.push_back(info.label);
  missing("hr_upscaler", fmt::format("there is no {}; there are: {}", excerpt(label), fmt::join(labels, ", ")));
}

void read_hires(const JsonObject& body, DrawFields& f) {
  for (const auto& [key, first] : of_second_pass) {
    if (!body.has(key) || asks_for_nothing(key, body.raw(key)) || (body.has(first) && body.raw(first) == body.raw(key))) continue;
    const Json& value = body.raw(key);
    const bool same = value.is_string() && value.get_ref<const std::string&>().starts_with("Use same");
    if (!same) missing(key, "the second pass is like the first here");
  }
  Hires hires{.scale = scale_of(body, f.width, f.height), .strength = body.number("denoising_strength", 0, 1, 0.75)};
  if (body.has("hr_upscaler")) hires.upscaler = upscaler_of(body.string("hr_upscaler"));
  // The web UI counts the steps that are done; here they are a share of `steps`.
  const int64_t done = body.integer("hr_second_pass_steps", 0, most_steps, 0);
  if (hires.strength > 0) hires.steps = int(std::min(std::ceil(double(done ? done : f.steps) / hires.strength), 1e6));
  f.hires = hires;
}

// Of a mask, with the defaults of the web UI: soft edges, and only the area around what is drawn anew.
void read_inpainting(const JsonObject& body, DrawFields& f) {
  f.mask_blur = body.number("mask_blur_x", 0, 1000, 4);
  if (body.number("mask_blur_y", 0, 1000, f.mask_blur) != f.mask_blur) missing("mask_blur_y", "other than mask_blur_x does not exist here");
  f.mask_blur = body.number("mask_blur", 0, 1000, f.mask_blur);
  constexpr MaskContent contents[] = {MaskContent::fill, MaskContent::original, MaskContent::noise, MaskContent::nothing};
  f.mask_content = contents[body.integer("inpainting_fill", 0, 3, 0)];
  if (body.boolean("inpaint_full_res", true)) f.mask_area = body.integer("inpaint_full_res_padding", 0, 16384, 0);
}

}  // namespace

void read_start(const JsonObject& body, const App& app, DrawFields& f) {
  constexpr Fit fits[] = {Fit::stretch, Fit::crop, Fit::fill};
  if (body.number("initial_noise_multiplier", 0, 100, 1) != 1) missing("initial_noise_multiplier", "hayate does not have it");
  const int64_t mode = body.integer("resize_mode", 0, 3, 0);
  if (mode == 3) missing("resize_mode", "hayate has no latent upscaling; expected 0 to 2");
  f.fit = fits[mode];
  f.strength = body.number("denoising_strength", 0, 1, f.strength);
  const Json none, &images = body.has("init_images") ? body.raw("init_images") : none;
  require(images.is_array() && images.size() == 1 && images[0].is_string(), ErrorKind::usage,
          "\"init_images\" is {}, expected a list of one picture in base64, which img2img starts from", excerpt(images));
  const std::string picture = file_of_base64(images[0].get_ref<const std::string&>(), "init_images");
  StartFiles files{.picture_key = "init_images", .picture = picture, .shows = MaskShows::opaque};
  std::string mask;
  if (body.has("mask") && !asks_for_nothing("mask", body.raw("mask"))) {
    mask = file_of_base64(body.string("mask"), "mask");
    files.mask = mask;
    files.inverted = body.integer("inpainting_mask_invert", 0, 1, 0) == 1;
    read_inpainting(body, f);
  }
  f.start = upload_start(files, app.options.pixels);
}

DrawFields a1111_fields(const JsonObject& body, const Catalog& catalog) {
  for (const char* key : refused)
    if (body.has(key) && !asks_for_nothing(key, body.raw(key)))
      throw HttpError{501, fmt::format("\"{}\" is {}: hayate does not have this yet", key, excerpt(body.raw(key))), "not_implemented"};
  DrawFields f{.prompt_syntax = PromptSyntax::a1111};
  const std::string prompt = body.string("prompt", "");
  for (const PromptLora& lora : loras_in(prompt)) f.loras.push_back({lora.name, lora.weight, lora.text_weight});
  f.prompt = without_loras(prompt);
  f.negative_prompt = body.string("negative_prompt", "");
  f.pictures = body.integer("batch_size", 1, most_pictures_of_a_job, 1) * body.integer("n_iter", 1, most_pictures_of_a_job, 1);
  require(f.pictures <= most_pictures_of_a_job, ErrorKind::usage, "\"batch_size\" times \"n_iter\" is {}, expected at most {}", f.pictures,
          most_pictures_of_a_job);
  f.width = body.integer("width", 0, 16384, 0), f.height = body.integer("height", 0, 16384, 0);
  f.steps = body.integer("steps", 1, most_steps, f.steps);
  f.guidance = body.number("cfg_scale", 0, 100, 7);
  if (const int64_t seed = body.integer("seed", -1, INT64_MAX, -1); seed >= 0) f.seed = uint64_t(seed);
  f.seamless_x = f.seamless_y = body.boolean("tiling", false);
  if (body.boolean("enable_hr", false)) read_hires(body, f);
  read_sampler(body, f);
  if (!body.has("override_settings")) return f;
  const JsonObject settings(body.raw("override_settings"), "\"override_settings\"", ErrorKind::usage);
  f.model = catalog.model(settings.string("sd_model_checkpoint", "")).name;
  f.clip_skip = settings.integer("CLIP_stop_at_last_layers", 1, 12, 1) - 1;
  return f;
}

}  // namespace hayate::server
