// Every number from outside is checked here, before anything is queued.
#include "server/draw_fields.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <random>

#include "core/error.h"
#include "hayate/names.h"
#include "hayate/suggest.h"
#include "server/router.h"

namespace hayate::server {

namespace {

constexpr size_t most_prompt_bytes = 16000;  // a JPEG's EXIF holds two of these
const std::map<std::string, std::array<bool, 2>> seamless_names = {{"none", {false, false}}, {"x", {true, false}}, {"y", {false, true}}, {"both", {true, true}}};
const std::map<std::string, std::string> extensions = {{"png", ".png"}, {"jpeg", ".jpg"}, {"jpg", ".jpg"}, {"webp", ".webp"}};

template <class Value>
const Value& one_of(const std::map<std::string, Value>& all, const std::string& key, const std::string& given) {
  auto found = all.find(given);
  if (found != all.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [name, value] : all) names.push_back(name);
  fail(ErrorKind::usage, "\"{}\" is {}, expected one of {}", key, excerpt(given), fmt::join(names, ", "));
}

template <class Info>
void check_name(const std::string& key, const std::string& given, const std::vector<Info>& infos) {
  if (given.empty()) return;
  std::map<std::string, int> names;
  for (const Info& info : infos) names[info.name] = 0;
  one_of(names, key, given);
}

// A side that is not said is the model's own, or with a picture to start from, of which more than an area is drawn, as its shape wants it.
void choose_size(DrawFields& f, const ModelInfo& model) {
  int64_t width = model.width, height = model.height;
  if (f.start && !f.mask_area) size_like(f.start->picture, width * height, width, height);
  if (f.width == 0) f.width = width;
  if (f.height == 0) f.height = height;
}

void check_pixels(int64_t width, int64_t height, const App& app) {
  require(width * height <= app.options.pixels, ErrorKind::usage, "a picture of {}x{} has {} pixels, expected at most {}", width, height, width * height,
          app.options.pixels);
}

void check_size(const DrawFields& f, const App& app) {
  constexpr int64_t least = 64, most = 16384, unit = 8;
  for (auto [key, side] : {std::pair("width", f.width), std::pair("height", f.height)})
    require(side >= least && side <= most && side % unit == 0, ErrorKind::usage, "\"{}\" is {}, expected a multiple of {} from {} to {}", key, side,
            unit, least, most);
  check_pixels(f.width, f.height, app);
}

void read_hires(const JsonObject& body, std::optional<Hires>& hires) {
  constexpr const char* of_hires[] = {"hires_upscaler", "hires_strength", "hires_steps"};
  if (!body.has("hires")) {
    for (const char* key : of_hires) require(!body.has(key), ErrorKind::usage, "\"{}\" needs \"hires\", by how much the picture is enlarged", key);
    return;
  }
  Hires read{.scale = body.number("hires", 1, 8)};
  if (body.has("hires_upscaler")) read.upscaler = one_of(upscalers_by_name(), "hires_upscaler", body.string("hires_upscaler"));
  read.strength = body.number("hires_strength", 0, 1, read.strength);
  read.steps = int(body.integer("hires_steps", 0, most_steps, read.steps));
  hires = read;
}

constexpr double most_lora_weight = 10;
constexpr size_t most_loras = 16;

std::vector<LoraField> read_loras(const JsonObject& body) {
  std::vector<LoraField> loras;
  if (!body.has("loras")) return loras;
  const Json& list = body.raw("loras");
  require(list.is_array(), ErrorKind::usage, "\"loras\" is {}, expected a list of objects", excerpt(list));
  for (const Json& entry : list) {
    const JsonObject lora(entry, "an entry of \"loras\"", ErrorKind::usage);
    loras.push_back({lora.string("name"), float(lora.number("weight", -most_lora_weight, most_lora_weight, 1))});
  }
  return loras;
}

// Names become paths here, by what the folder holds.
std::vector<Lora> find_loras(const std::vector<LoraField>& wanted, const Catalog& catalog) {
  require(wanted.size() <= most_loras, ErrorKind::usage, "{} LoRAs, expected at most {}", wanted.size(), most_loras);
  std::vector<Lora> loras;
  for (const LoraField& lora : wanted) {
    for (float weight : {lora.weight, lora.text_weight.value_or(0)})
      require(std::abs(weight) <= most_lora_weight, ErrorKind::usage, "the weight of the LoRA {} is {}, expected {} to {}", excerpt(lora.name),
              weight, -most_lora_weight, most_lora_weight);
    loras.push_back({catalog.lora(lora.name), lora.weight, lora.text_weight});
  }
  return loras;
}

uint64_t random_seed() {
  std::random_device random;
  return random();  // 32 bits: what torch uses of a seed
}

}  // namespace

JsonObject form_body(const HttpRequest& request, const App& app, const std::string& key, MaskShows shows, DrawFields& fields) {
  const std::vector<FormPart> parts = form_parts(request);
  std::optional<std::string_view> picture, mask;
  for (const FormPart& part : parts) {
    if (!part.is_file) continue;
    require(part.name == "mask" || part.name == key || part.name == key + "[]", ErrorKind::usage, "the form has a file {}, expected {} or mask",
            excerpt(part.name), key);
    std::optional<std::string_view>& file = part.name == "mask" ? mask : picture;
    require(!file, ErrorKind::usage, "the form has more than one \"{}\", expected one", part.name == "mask" ? part.name : key);
    file = part.content;
  }
  require(picture || !mask, ErrorKind::usage, "the form has a file \"mask\" but no \"{}\" that it could be of", key);
  if (picture) fields.start = upload_start({.picture_key = key, .picture = *picture, .mask = mask, .shows = shows}, app.options.pixels);
  return form_fields(parts, {"prompt", "negative_prompt", "model", "rung", "scheduler", "spacing"});
}

JsonObject json_body(const HttpRequest& request) {
  const std::string type = request.header("content-type");
  if (!type.empty() && !type.starts_with("application/json"))
    throw HttpError{415, fmt::format("the body is {}, expected application/json", excerpt(type)), "unsupported_media_type"};
  return JsonObject(parse_json(request.body, "the body", {.max_bytes = int64_t(picture_body), .max_depth = 32}), "the body", ErrorKind::usage);
}

void read_noise_fields(const JsonObject& body, DrawFields& f) {
  auto read = [&](const char* key, std::optional<double>& value, double most) {
    if (body.has(key)) value = body.number(key, 0, most);
  };
  read("eta", f.eta, 1);
  read("s_noise", f.s_noise, 10);
  read("s_churn", f.s_churn, 1000);
  read("s_tmin", f.s_tmin, 1e6);
  read("s_tmax", f.s_tmax, 1e6);
}

void read_draw_fields(const JsonObject& body, DrawFields& f) {
  f.prompt = body.string("prompt", f.prompt);
  f.negative_prompt = body.string("negative_prompt", f.negative_prompt);
  f.model = body.string("model", f.model);
  f.rung = body.string("rung", f.rung);
  f.scheduler = body.string("scheduler", f.scheduler);
  f.width = body.integer("width", 0, 16384, f.width);
  f.height = body.integer("height", 0, 16384, f.height);
  f.steps = body.integer("steps", 1, most_steps, f.steps);
  f.guidance = body.number("guidance_scale", 0, 100, f.guidance);
  f.guidance_rescale = body.number("guidance_rescale", 0, 1, f.guidance_rescale);
  f.mimic_guidance = body.number("mimic_guidance", 0, 100, f.mimic_guidance);
  if (body.has("seed")) f.seed = uint64_t(body.integer("seed", 0, INT64_MAX));
  if (body.has("spacing")) f.spacing = body.string("spacing");
  read_noise_fields(body, f);
  f.clip_skip = body.integer("clip_skip", 0, 64, f.clip_skip);
  if (body.has("prompt_syntax")) f.prompt_syntax = one_of(prompt_syntaxes(), "prompt_syntax", body.string("prompt_syntax"));
  if (body.has("loras")) f.loras = read_loras(body);
  read_hires(body, f.hires);
  if (body.has("seamless")) {
    const auto [x, y] = one_of(seamless_names, "seamless", body.string("seamless"));
    f.seamless_x = x, f.seamless_y = y;
  }
  f.strength = body.number("strength", 0, 1, f.strength);
  if (body.has("fit")) f.fit = one_of(fits(), "fit", body.string("fit"));
  f.mask_blur = body.number("mask_blur", 0, 1000, f.mask_blur);
  if (body.has("mask_content")) f.mask_content = one_of(mask_contents(), "mask_content", body.string("mask_content"));
  if (body.has("mask_area")) f.mask_area = body.integer("mask_area", 0, 16384);
  f.format = body.string("format", f.format);
  f.quality = int(body.integer("quality", 1, 100, f.quality));
  f.deadline = body.number("deadline", 0, 86400, f.deadline);
}

void refuse_unknown_fields(const JsonObject& body) {
  static const std::vector<std::string> known = {
      "prompt", "negative_prompt", "model", "rung", "scheduler", "width", "height", "steps", "guidance_scale", "guidance_rescale",
      "mimic_guidance", "seed", "spacing", "eta", "s_noise", "s_churn", "s_tmin", "s_tmax", "clip_skip", "prompt_syntax", "loras", "hires",
      "hires_upscaler", "hires_strength", "hires_steps", "seamless", "strength", "fit", "mask_blur", "mask_area", "mask_content", "format",
      "quality", "deadline", "n"};
  for (const std::string& key : body.keys()) {
    if (std::ranges::find(known, key) != known.end()) continue;
    const std::string meant = closest(key, known);
    if (!meant.empty()) fail(ErrorKind::usage, "there is no field {}; did you mean \"{}\"?", excerpt(key), meant);
    fail(ErrorKind::usage, "there is no field {}; there are: {}", excerpt(key), fmt::join(known, ", "));
  }
}

void check_prompt(const std::string& key, const std::string& text) {
  require(text.size() <= most_prompt_bytes, ErrorKind::usage, "\"{}\" has {} bytes, expected at most {}", key, text.size(), most_prompt_bytes);
  require(text.find('\0') == text.npos, ErrorKind::usage, "\"{}\" holds a zero byte", key);
}

JobSpec make_spec(DrawFields f, const App& app, const HttpRequest& asked, const std::string& api) {
  const CatalogModel& model = app.catalog.model(f.model);
  check_prompt("prompt", f.prompt);
  check_prompt("negative_prompt", f.negative_prompt);
  choose_size(f, model.info);
  check_size(f, app);
  check_name("rung", f.rung, rungs(app.options.pipeline.device));
  const NamedSampler sampler = f.scheduler.empty() ? NamedSampler{} : scheduler_named(f.scheduler);

  JobSpec spec{.setup = {{model.name, f.rung.empty() ? app.options.pipeline.rung : f.rung}, find_loras(f.loras, app.catalog)},
               .extension = one_of(extensions, "format", f.format),
               .quality = f.quality,
               .client = asked.client,
               .api = api,
               .deadline = f.deadline > 0 ? f.deadline : app.options.deadline};
  Request& request = spec.request;
  request.width = int(f.width), request.height = int(f.height);
  request.steps = int(f.steps), request.clip_skip = int(f.clip_skip);
  request.scheduler = sampler.scheduler, request.spacing = f.spacing ? spacing_name(*f.spacing) : sampler.spacing;
  request.eta = f.eta, request.s_noise = f.s_noise, request.s_churn = f.s_churn, request.s_tmin = f.s_tmin, request.s_tmax = f.s_tmax;
  request.prompt_syntax = f.prompt_syntax;
  request.hires = f.hires, request.seamless_x = f.seamless_x, request.seamless_y = f.seamless_y;
  request.strength = f.strength, request.fit = f.fit, request.mask_blur = f.mask_blur, request.mask_content = f.mask_content;
  if (f.mask_area) request.mask_area = int(*f.mask_area);
  if (f.start) {
    request.mask = std::move(f.start->mask);
    // Without a mask now: what waits is no larger than what is drawn.
    request.init_image = request.mask ? std::move(f.start->picture) : fitted(f.start->picture, request.width, request.height, f.fit);
  }
  const uint64_t seed = f.seed.value_or(random_seed());
  for (int64_t i = 0; i < f.pictures; ++i)
    request.pictures.push_back({.prompt = f.prompt,
                                .negative_prompt = f.negative_prompt,
                                .seed = seed + uint64_t(i),
                                .guidance = float(f.guidance),
                                .guidance_rescale = float(f.guidance_rescale),
                                .mimic_guidance = float(f.mimic_guidance)});
  const auto [width, height] = model.check(request);
  check_pixels(width, height, app);  // after hires
  spec.width = width, spec.height = height;
  return spec;
}

bool parse_size_text(const std::string& text, int64_t& width, int64_t& height) {
  const size_t x = text.find('x');
  auto number = [](std::string_view digits, int64_t& value) {
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc{} && end == digits.data() + digits.size();
  };
  return x != text.npos && number(std::string_view(text).substr(0, x), width) && number(std::string_view(text).substr(x + 1), height);
}

}  // namespace hayate::server
