// What every API can ask for, under one set of names, and its checks.
#pragma once
#include "core/json.h"
#include "server/app.h"
#include "server/form.h"
#include "server/upload.h"

namespace hayate::server {

struct LoraField {
  std::string name{};  // in the catalog
  float weight = 1;
  std::optional<float> text_weight{};
};

struct DrawFields {
  std::string prompt{}, negative_prompt{};
  std::string model{}, rung{}, scheduler{};  // empty: the default
  int64_t pictures = 1, width = 0, height = 0, steps = 30, clip_skip = 0;
  double guidance = 5, guidance_rescale = 0, mimic_guidance = 0;
  std::optional<uint64_t> seed{};  // of the first picture, others count up; none: random
  std::optional<std::string> spacing{};
  std::optional<double> eta{}, s_noise{}, s_churn{}, s_tmin{}, s_tmax{};
  PromptSyntax prompt_syntax = PromptSyntax::diffusers;
  std::vector<LoraField> loras{};
  std::optional<Hires> hires{};
  bool seamless_x = false, seamless_y = false;
  std::optional<StartPicture> start{};  // with one, a width and height of 0 mean its shape
  double strength = 0.75, mask_blur = 0;
  MaskContent mask_content = MaskContent::original;
  std::optional<int64_t> mask_area{};
  Fit fit = Fit::stretch;
  std::string format = "png";  // "png", "jpeg", "webp"
  int quality = 90;
  double deadline = 0;  // seconds; 0: the server's own
};

constexpr int64_t most_pictures_of_a_job = 16, most_steps = 150;

// The body of a request as an object whose getters throw errors that name the field. Throws HttpError 400 or 415.
JsonObject json_body(const HttpRequest&);

// The same of a form with files: the picture to start from under `key`, and "mask", of which what `shows` says is drawn anew. Decodes both, which takes
// a while, within the limits of the server. Throws Error(usage) or HttpError 415.
JsonObject form_body(const HttpRequest&, const App&, const std::string& key, MaskShows shows, DrawFields&);

// Reads what the body has of: prompt, negative_prompt, model, rung, scheduler, width, height, steps, guidance_scale, guidance_rescale, seed,
// mimic_guidance, spacing, eta, s_noise, s_churn, s_tmin, s_tmax, clip_skip, prompt_syntax, loras ([{name, weight}]), hires, hires_upscaler, hires_strength, hires_steps,
// seamless, strength, fit, mask_blur, mask_area, mask_content, format, quality, deadline.
void read_draw_fields(const JsonObject&, DrawFields&);

// Error(usage) for a field that is none of these nor "n": for our own API, where it can only be a slip.
void refuse_unknown_fields(const JsonObject&);

void read_noise_fields(const JsonObject&, DrawFields&);  // of these eta, s_noise, s_churn, s_tmin, s_tmax

// Throws Error(usage) or HttpError for what cannot be drawn here.
JobSpec make_spec(DrawFields, const App&, const HttpRequest&, const std::string& api);

void check_prompt(const std::string& key, const std::string& text);  // Error(usage) where it is too long

// The sizes in `text` ("WIDTHxHEIGHT"); false if it has another form.
bool parse_size_text(const std::string& text, int64_t& width, int64_t& height);

}  // namespace hayate::server
