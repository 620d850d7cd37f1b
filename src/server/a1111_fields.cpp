// Names and defaults as in the web UI 1.10 (modules/api/models.py), but for size and steps, which are ours.
#include "server/a1111_fields.h"

#include <algorithm>

#include "core/error.h"
#include "prompt/a1111_networks.h"
#include "server/upload.h"

namespace hayate::server {

namespace {

// What would change the picture: refused unless it has a value that asks for nothing.
constexpr const char* refused[] = {"enable_hr",          "restore_faces",      "tiling",           "styles",
                                   "subseed_strength",   "script_name",        "script_args",      "alwayson_scripts",
                                   "refiner_checkpoint", "refiner_switch_at",  "firstphase_width", "firstphase_height",
                                   "seed_resize_from_h", "seed_resize_from_w", "infotext",         "force_task_id"};

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

// Of a mask, with the defaults of the web UI: soft edges, and only the area around what is drawn anew.
void read_inpainting(const JsonObject& body, DrawFields& f) {
  f.mask_blur = body.number("mask_blur_x", 0, 1000, 4);
  if (body.number("mask_blur_y", 0, 1000, f.mask_blur) != f.mask_blur) missing("mask_blur_y", "other than mask_blur_x does not exist here");
  f.mask_blur = body.number("mask_blur", 0, 1000, f.mask_blur);
  // 0, 2 and 3 replace what is drawn anew by colours around it, by noise, or by nothing.
  if (body.integer("inpainting_fill", 0, 3, 0) != 1 && f.strength < 1)
    missing("inpainting_fill", "hayate begins with what is in the picture (1); other choices make no difference, and are taken, where denoising_strength is 1");
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
  const Json& images = body.raw("init_images");
  require(images.is_array() && images.size() == 1 && images[0].is_string(), ErrorKind::usage,
          "\"init_images\" is not a list of one picture in base64, which img2img starts from");
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
  read_sampler(body, f);
  if (!body.has("override_settings")) return f;
  const JsonObject settings(body.raw("override_settings"), "\"override_settings\"", ErrorKind::usage);
  f.model = catalog.model(settings.string("sd_model_checkpoint", "")).name;
  f.clip_skip = settings.integer("CLIP_stop_at_last_layers", 1, 12, 1) - 1;
  return f;
}

}  // namespace hayate::server
