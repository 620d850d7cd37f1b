// The end of a tensor's name says what it is, what stands before names the module. Endings: kohya-ss/sd-scripts (networks/lora.py), LyCORIS,
// peft (the name of an adapter may follow lora_A), diffusers since 0.14.
#include "weights/lora_file.h"

#include <cmath>
#include <map>

#include "core/error.h"
#include "core/json.h"
#include "weights/describe_tensors.h"

namespace hayate {
namespace {

enum class Role { down, up, mid, alpha };

struct Ending {
  std::string_view text;
  Role role;
};
constexpr Ending endings[] = {
    {".lora_down.weight", Role::down},
    {".lora_up.weight", Role::up},
    {".lora_mid.weight", Role::mid},
    {".alpha", Role::alpha},
    {".lora.down.weight", Role::down},
    {".lora.up.weight", Role::up},
    {".lora_linear_layer.down.weight", Role::down},
    {".lora_linear_layer.up.weight", Role::up},
    {"_lora.down.weight", Role::down},
    {"_lora.up.weight", Role::up},
};
constexpr std::pair<std::string_view, Role> peft_parts[] = {{".lora_A.", Role::down}, {".lora_B.", Role::up}};

constexpr std::pair<std::string_view, const char*> other_adapters[] = {
    {".dora_scale", "DoRA"}, {".lora_magnitude_vector", "DoRA"}, {".hada_", "LoHa"},    {".lokr_", "LoKr"},        {".oft_", "OFT"},
    {".diff", "whole differences"}, {".w_norm", "norms"}, {".b_norm", "norms"}, {".lora_B.bias", "biases"}, {".lora_embedding_", "embeddings"},
};

struct Parsed {
  std::string module;
  Role role;
};

// diffusers before 0.20 put the matrices of attention into a processor beside the projections.
std::string without_processor(std::string module) {
  constexpr std::string_view processor = ".processor.";
  if (const size_t at = module.find(processor); at != module.npos) {
    module.replace(at, processor.size(), ".");
    if (module.ends_with(".to_out")) module += ".0";
  }
  return module;
}

std::optional<Parsed> parse(const std::string& name) {
  for (auto [text, role] : endings)
    if (name.ends_with(text)) return Parsed{without_processor(name.substr(0, name.size() - text.size())), role};
  for (auto [text, role] : peft_parts) {
    const size_t at = name.rfind(text);
    if (at == name.npos) continue;
    const std::string rest = name.substr(at + text.size());  // "weight" or "ADAPTER.weight"
    if (rest == "weight" || (rest.ends_with(".weight") && rest.find('.') == rest.size() - 7)) return Parsed{name.substr(0, at), role};
  }
  return std::nullopt;
}

float read_alpha(const SafetensorsFile& file, const std::string& name) {
  for (int64_t dim : file.dims(name))
    require(dim == 1, ErrorKind::bad_file, "{}: tensor {} has a dimension of {}, expected one number", file.path(), excerpt(name), dim);
  float alpha = 0;
  file.read(name, Dtype::f32, std::as_writable_bytes(std::span(&alpha, 1)));
  require(std::isfinite(alpha), ErrorKind::not_finite, "{}: tensor {} is {}, expected a finite number", file.path(), excerpt(name), alpha);
  return alpha;
}

// What diffusers saves of peft's configuration: the alpha of all modules of a network, "unet.lora_alpha".
void take_alphas_of_metadata(LoraFile& lora) {
  auto found = lora.tensors->metadata().find("lora_adapter_metadata");
  if (found == lora.tensors->metadata().end()) return;
  const std::string what = lora.tensors->path() + ": lora_adapter_metadata";
  const JsonObject settings(parse_json(found->second, what), what, ErrorKind::bad_file);
  for (const char* network : {"unet", "text_encoder", "text_encoder_2"}) {
    const std::string prefix = network + std::string(".");
    const std::string pattern = prefix + "alpha_pattern";
    require(!settings.boolean(prefix + "use_rslora", false) && (!settings.has(pattern) || settings.raw(pattern).empty()), ErrorKind::unsupported,
            "{}: has use_rslora or {}, which are not supported", what, pattern);
    if (!settings.has(prefix + "lora_alpha")) continue;
    constexpr double most = 1e6;
    for (LoraModule& module : lora.modules)
      if (module.name.starts_with(prefix) && !module.alpha) module.alpha = float(settings.number(prefix + "lora_alpha", -most, most));
  }
}

}  // namespace

LoraFile read_lora(const std::string& path) {
  LoraFile lora{.tensors = std::make_shared<SafetensorsFile>(path), .modules = {}, .unknown = {}};
  const SafetensorsFile& file = *lora.tensors;
  std::map<std::string, LoraModule> modules;
  for (const std::string& name : file.names()) {
    for (auto [part, what] : other_adapters)
      require(name.find(part) == name.npos, ErrorKind::unsupported, "{}: tensor {} is part of an adapter with {}, which is not supported; plain LoRA is",
              path, excerpt(name), what);
    const std::optional<Parsed> parsed = parse(name);
    if (!parsed) {
      lora.unknown.push_back(name);
      continue;
    }
    LoraModule& module = modules[parsed->module];
    module.name = parsed->module;
    std::string twice;
    if (parsed->role == Role::alpha) {
      if (module.alpha) twice = "its alpha";
      module.alpha = read_alpha(file, name);
    } else {
      std::string& place = parsed->role == Role::down ? module.down : parsed->role == Role::up ? module.up : module.mid;
      twice = std::exchange(place, name);
    }
    require(twice.empty(), ErrorKind::bad_file, "{}: module {} has {} and also {}", path, excerpt(module.name), excerpt(twice), excerpt(name));
  }
  require(!modules.empty(), ErrorKind::bad_model, "{}: is not a LoRA: it looks like {}", path, describe_tensors(file));
  for (auto& [name, module] : modules) {
    require(!module.down.empty() && !module.up.empty(), ErrorKind::bad_file, "{}: module {} has no {} matrix: the LoRA is not whole", path, excerpt(name),
            module.down.empty() ? "down (A)" : "up (B)");
    lora.modules.push_back(std::move(module));
  }
  take_alphas_of_metadata(lora);
  return lora;
}

}  // namespace hayate
