// "prompt / Negative prompt: .. / Steps: .., Sampler: .., .." with the sampler names and the quoting of AUTOMATIC1111
// (modules/infotext_utils.py).
#include "pipeline/infotext.h"

#include <algorithm>
#include <cctype>

#include "core/error.h"
#include "core/json.h"

namespace hayate {

namespace {

constexpr std::string_view negative_mark = "Negative prompt:", blank = " \t\r";

std::string noise_name(Noise noise) { return noise == Noise::torch_cpu_fp16 ? "float16" : noise == Noise::torch_cpu_bf16 ? "bfloat16" : ""; }

std::string upscaler_name(Upscaler by) {
  const std::vector<UpscalerInfo> all = upscalers();
  return std::ranges::find(all, by, &UpscalerInfo::upscaler)->label;
}

const char* content_name(MaskContent content) {
  switch (content) {
    case MaskContent::fill: return "fill";
    case MaskContent::noise: return "latent noise";
    case MaskContent::nothing: return "latent nothing";
    case MaskContent::original: break;
  }
  return "original";
}

// As a JSON string where the text could be mistaken for the end of the value or the start of another.
std::string quoted(const std::string& text) {
  if (text.find_first_of(",:\n\"") == text.npos && !text.starts_with(' ')) return text;
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string unquoted(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
  Json value = Json::parse(text, nullptr, false);
  return value.is_string() ? value.get<std::string>() : std::string(text);
}

bool is_key_start(char c) { return std::isalnum(uint8_t(c)) || c == '_' || uint8_t(c) >= 0x80; }
bool is_key(char c) { return is_key_start(c) || c == ' ' || c == '-' || c == '/'; }

// The value that `text` starts with: a JSON string, or all up to the next comma.
std::string_view first_value(std::string_view text) {
  if (text.starts_with('"'))
    for (size_t i = 1; i < text.size(); ++i) {
      if (text[i] == '"' && (i + 1 == text.size() || text[i + 1] == ',')) return text.substr(0, i + 1);
      if (text[i] == '"') break;
      i += text[i] == '\\';
    }
  return text.substr(0, text.find(','));
}

// "Key: value, Key: "quoted, value", ..."; what has another form is skipped.
std::vector<std::pair<std::string, std::string>> parse_settings(std::string_view line) {
  std::vector<std::pair<std::string, std::string>> settings;
  while (!line.empty()) {
    line.remove_prefix(size_t(std::ranges::find_if(line, is_key_start) - line.begin()));
    const std::string_view key = line.substr(0, size_t(std::ranges::find_if_not(line, is_key) - line.begin()));
    const bool named = key.size() >= 2 && line.substr(key.size()).starts_with(':');
    line.remove_prefix(std::min(key.size() + 1, line.size()));  // with the character after it
    if (!named) continue;
    line.remove_prefix(std::min(line.find_first_not_of(blank), line.size()));
    const std::string_view value = first_value(line);
    settings.emplace_back(key, unquoted(value));
    line.remove_prefix(std::min(value.size() + 1, line.size()));
  }
  return settings;
}

}  // namespace

std::string infotext(const Request& r, const Picture& p, const InfotextFields& f) {
  std::string text = p.prompt + "\n";
  if (!p.negative_prompt.empty()) text += fmt::format("{} {}\n", negative_mark, p.negative_prompt);
  text += fmt::format("Steps: {}, Sampler: {}, ", r.steps, f.scheduler);
  if (!f.spacing.empty()) text += fmt::format("Schedule type: {}, ", f.spacing);
  text += fmt::format("CFG scale: {:g}, Seed: {}, Size: {}x{}, Model: {}, ", p.guidance, p.seed, f.width, f.height, quoted(f.model));
  if (!f.loras.empty()) text += fmt::format("Loras: {}, ", quoted(f.loras));
  if (!f.embeddings.empty()) text += fmt::format("Embeddings: {}, ", quoted(f.embeddings));
  if (!f.tiny_decoder.empty()) text += fmt::format("VAE Decoder: {}, ", quoted(f.tiny_decoder));
  if (r.clip_skip) text += fmt::format("Clip skip: {}, ", r.clip_skip + 1);
  if (r.prompt_syntax != PromptSyntax::diffusers) text += fmt::format("Prompt syntax: {}, ", r.prompt_syntax == PromptSyntax::a1111 ? "a1111" : "comfy");
  if (r.init_image) text += fmt::format("Denoising strength: {:g}, ", r.strength);
  if (r.hires) {
    text += fmt::format("Denoising strength: {:g}, Hires upscale: {:g}, ", r.hires->strength, r.hires->scale);
    if (r.hires->steps) text += fmt::format("Hires steps: {}, ", r.hires->steps);
    text += fmt::format("Hires upscaler: {}, ", upscaler_name(r.hires->upscaler));
  }
  if (r.mask && r.mask_blur > 0) text += fmt::format("Mask blur: {:g}, ", r.mask_blur);
  if (r.mask_content != MaskContent::original) text += fmt::format("Masked content: {}, ", content_name(r.mask_content));
  if (r.mask_area) text += fmt::format("Inpaint area: Only masked, Masked area padding: {}, ", *r.mask_area);
  if (r.seamless_x || r.seamless_y) text += fmt::format("Tiling: {}, ", r.seamless_x && r.seamless_y ? "True" : r.seamless_x ? "x" : "y");
  if (!f.refiner.empty()) text += fmt::format("Refiner: {}, Refiner switch at: {:g}, ", quoted(f.refiner), r.handover);
  if (p.variation_strength > 0) text += fmt::format("Variation seed: {}, Variation seed strength: {:g}, ", p.variation_seed, p.variation_strength);
  if (r.deepcache.interval > 1) text += fmt::format("DeepCache interval: {}, DeepCache branch: {}, ", r.deepcache.interval, r.deepcache.branch);
  if (r.deepcache.interval > 1 && r.deepcache.center) text += fmt::format("DeepCache center: {}, DeepCache power: {:g}, ", *r.deepcache.center, r.deepcache.power);
  if (r.guidance_interval != std::array{0.0, 1.0}) text += fmt::format("Guidance interval: \"{:g}, {:g}\", ", r.guidance_interval[0], r.guidance_interval[1]);
  if (p.guidance_rescale != 0) text += fmt::format("CFG rescale: {:g}, ", p.guidance_rescale);
  if (p.mimic_guidance > 0) text += fmt::format("Dynamic thresholding enabled: True, Mimic scale: {:g}, ", p.mimic_guidance);
  if (p.prompt_2) text += fmt::format("Prompt 2: {}, ", quoted(*p.prompt_2));
  if (p.negative_prompt_2) text += fmt::format("Negative prompt 2: {}, ", quoted(*p.negative_prompt_2));
  for (auto [name, value] : {std::pair("Eta", r.eta), {"Sigma noise", r.s_noise}, {"Sigma churn", r.s_churn}, {"Sigma tmin", r.s_tmin}, {"Sigma tmax", r.s_tmax}})
    if (value) text += fmt::format("{}: {:g}, ", name, *value);
  if (std::string noise = noise_name(r.noise); !noise.empty()) text += fmt::format("Noise: {}, ", noise);
  return text + fmt::format("RNG: {}, Version: hayate {}", r.noise == Noise::torch_cuda ? "NV" : "CPU", version());
}

Infotext parse_infotext(const std::string& text) {
  Infotext info;
  std::string_view rest = text;
  rest = rest.substr(0, rest.find_last_not_of(" \t\r\n") + 1);
  size_t last_line = rest.rfind('\n') + 1;  // 0 if there is one line only
  info.settings = parse_settings(rest.substr(last_line));
  if (info.settings.size() < 3)  // AUTOMATIC1111's rule: fewer are part of a prompt
    info.settings.clear();
  else
    rest = rest.substr(0, last_line ? last_line - 1 : 0);

  size_t negative = rest.starts_with(negative_mark) ? 0 : rest.find("\n" + std::string(negative_mark));
  info.prompt = rest.substr(0, negative);
  if (negative == rest.npos) return info;
  rest.remove_prefix(rest.find(negative_mark, negative) + negative_mark.size());
  info.negative_prompt = rest.starts_with(' ') ? rest.substr(1) : rest;
  return info;
}

}  // namespace hayate
