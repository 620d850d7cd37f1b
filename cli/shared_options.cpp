// One home for each option that several subcommands have.
#include "shared_options.h"

#include <map>

#include "hayate/byte_size.h"
#include "hayate/inspect.h"
#include "hub_cache.h"

namespace hayate::cli {

namespace {
template <class Info>
std::vector<std::string> names_of(const std::vector<Info>& infos) {
  std::vector<std::string> names;
  for (const Info& info : infos) names.push_back(info.name);
  return names;
}

// What follows the last colon is the weight, unless it ends as a file's name does.
Lora parse_lora(const std::string& given) {
  const size_t colon = given.rfind(':');
  Lora lora{.path = given.substr(0, colon)};
  if (colon != given.npos && !given.ends_with(".safetensors"))
    lora.weight = parse_number("--lora: weight", given.substr(colon + 1), -100.0f, 100.0f);
  else
    lora.path = given;
  if (lora.path.empty()) refuse("--lora: expected FILE or FILE:WEIGHT, got \"{}\"", given);
  return lora;
}

const std::map<std::string, VaeTiling> tiling_names = {{"auto", VaeTiling::automatic}, {"on", VaeTiling::on}, {"off", VaeTiling::off}};
}  // namespace

std::vector<std::string> rung_names() { return names_of(rungs()); }

void add_model(Table t, Options& options) {
  options.hub_cache = hub_cache();
  t.text("-m,--model", "MODEL", "diffusers folder, .safetensors file, or org/name in the Hugging Face cache (default: the built-in model)",
         [&](const std::string& given) {
           if (given.empty()) refuse("--model: expected a folder, file or name, got \"\"");
           options.model = given;
         });
  t.text("--refiner", "MODEL", "a second model that does the last steps, as the refiner of SDXL; found as --model is", [&](const std::string& given) {
    if (given.empty()) refuse("--refiner: expected a folder, file or name, got \"\"");
    options.refiner = given;
  });
  repeatable(t.text("--embedding", "FILE", "textual inversion: the file's name is a word that prompts may use; repeat for several",
                    [&](const std::string& given) { options.embeddings.push_back(given); }));
  add_replacements(t, options);
  add_tiny_decoder(t, options);
}

void add_tiny_decoder(Table t, Options& options) {
  t.text("--tiny-decoder", "PATH", "TAESD's decoder in place of the autoencoder's, faster and less exact: .safetensors file or diffusers folder", [&](const std::string& given) {
    if (given.empty()) refuse("--tiny-decoder: expected a file or folder, got \"\"");
    options.tiny_decoder = given;
  });
}

void add_replacements(Table t, Options& options) {
  auto part = [&](const char* name, const char* what, std::string& value) {
    t.text(name, "PATH", fmt::format("another {}: .safetensors file or folder", what), [name, &value](const std::string& given) {
      if (given.empty()) refuse("{}: expected a file or folder, got \"\"", name);
      value = given;
    });
  };
  part("--unet", "UNet", options.unet);
  part("--vae", "autoencoder", options.vae);
  part("--text-encoder", "(first) text encoder", options.text_encoder);
  part("--text-encoder-2", "second text encoder", options.text_encoder_2);
  repeatable(t.text("--lora", "FILE", "a LoRA to add to the weights; FILE:0.8 adds it with this weight (default 1); repeat for several",
                    [&](const std::string& given) { options.loras.push_back(parse_lora(given)); }));
  t.text("--lora-folder", "FOLDER", "where <lora:NAME:0.8> in prompts (--prompt-syntax a1111) finds NAME.safetensors", options.lora_folder);
}

void add_machine(Table t, Options& options) {
  t.choice("--rung", "see `hayate rungs`", "the fastest", rung_names(), [&](const std::string& name) { options.rung = name; });
  t.text("--device", "DEVICE", fmt::format("what to run on: {} (the default is {}); cuda:1 is another GPU than the first, cuda:0,1 two that share each step",
                                           fmt::join(device_names(), ", "), options.device), options.device);
  t.choice("--dtype", "what rungs from bf16 on compute in; fp16 needs an NVIDIA GPU", "bf16", {"bf16", "fp16"},
           [&](const std::string& name) { options.dtype = name; });
  t.text("--quantize-layers", "LAYERS", "what rungs int8 and fp8 quantize: gains (what measures faster, the default), all, or a file of patterns on layer names",
         options.quantize_layers);
  t.flag("--quantize-convolutions", "rungs int8 (CPU, Hopper) and fp8 (Hopper): the UNet's 3x3 convolutions too", options.quantize_convolutions);
  t.choice("--quantize-preset", "the layers that the tutorial quantizes, by its list of sizes", "none", {"article"},
           [&](const std::string& name) { options.quantize_layers = name; });
  t.choice("--vae-dtype", "likewise for the decoder", "as --dtype, but bf16 where the model's force_upcast asks", {"bf16", "fp16", "fp32"},
           [&](const std::string& name) { options.vae_dtype = name; });
  t.choice("--vae-tiling", "decode in tiles: less memory, slower, the same picture but for rounding", "auto: where memory asks for it", keys_of(tiling_names),
           [&](const std::string& name) { options.vae_tiling = tiling_names.at(name); });
  t.flag("--deterministic", "cuda: choose no algorithm by measurement, so that GPUs of one kind draw the same", options.deterministic);
  t.text("--force-capability", "N", "cuda: run the kernels of an older GPU: 80 or 89", [&](const std::string& given) {
    options.force_capability = parse_number("--force-capability", given, 80, 1000);
  });
  t.flag("--low-memory", "cpu: keep no large weights but read them from the model's files in every step: slower, the same picture", options.low_memory);
  t.text("--memory-limit", "SIZE", "what hayate may take: 8GiB, 512M, or bytes (default: what the machine has left)", [&](const std::string& given) {
    std::optional<int64_t> bytes = parse_size(given);
    if (!bytes) refuse("--memory-limit: expected a size like 8GiB, 512M or a number of bytes, got \"{}\"", given);
    options.memory_limit = *bytes;
  });
}

void add_size(Table t, int& width, int& height) {
  t.number("-W,--width", "pixels, a multiple of 8 (default: the model's own)", width, 8, largest_side);
  t.number("-H,--height", "pixels, a multiple of 8 (default: the model's own)", height, 8, largest_side);
}

void add_sampler(Table t, Request& request) {
  t.named("--scheduler", "sampling method, see `hayate schedulers`", "the model's own", names_of(schedulers()), [&request](const std::string& name) {
    const NamedSampler meant = scheduler_named(name);
    request.scheduler = meant.scheduler;
    if (!request.spacing) request.spacing = meant.spacing;
  });
  t.named("--spacing", "how steps are spread", "the model's own", names_of(spacings()),
          [&request](const std::string& name) { request.spacing = spacing_name(name); });
}

void add_methods(Table t, Request& request) {
  auto parts_of = [](const char* option, const std::string& given, const char* expected, size_t least, size_t most) {
    std::vector<std::string> parts(1);
    for (char c : given) c == ',' ? static_cast<void>(parts.emplace_back()) : parts.back().push_back(c);
    if (parts.size() < least || parts.size() > most) refuse("{}: expected {}, got \"{}\"", option, expected, given);
    return parts;
  };
  t.text("--deepcache", "N[,BRANCH]", "compute the whole UNet in one step of N, and what is outside of skip connection BRANCH (default 0) in the others",
         [parts_of, &request](const std::string& given) {
           const std::vector<std::string> parts = parts_of("--deepcache", given, "N or N,BRANCH", 1, 2);
           request.deepcache.interval = parse_number("--deepcache", parts[0], 1, 1000);
           if (parts.size() > 1) request.deepcache.branch = parse_number("--deepcache: branch", parts[1], 0, 1000);
         });
  t.text("--deepcache-center", "STEP[,POWER]", "whole steps lie denser around this one, by POWER (default 1.2)", [parts_of, &request](const std::string& given) {
    const std::vector<std::string> parts = parts_of("--deepcache-center", given, "STEP or STEP,POWER", 1, 2);
    request.deepcache.center = parse_number("--deepcache-center", parts[0], 0, 10000);
    if (parts.size() > 1) request.deepcache.power = parse_number("--deepcache-center: power", parts[1], 1.0f, 10.0f);
  });
  t.text("--guidance-interval", "A,B", "guidance only from this fraction of the steps to that one, as 0,0.6; the others take half the work",
         [parts_of, &request](const std::string& given) {
           const std::vector<std::string> parts = parts_of("--guidance-interval", given, "two fractions like 0,0.6", 2, 2);
           for (size_t i : {0, 1}) request.guidance_interval[i] = parse_number("--guidance-interval", parts[i], 0.0, 1.0);
         });
}

void add_json(Table t, const std::string& help, bool& json) { t.flag("--json", help, json); }

}  // namespace hayate::cli
