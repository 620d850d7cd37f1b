// The end of a tensor's name says what it is, what stands before names the module. Endings: kohya-ss/sd-scripts (networks/lora.py), LyCORIS
// (modules/loha.py, lokr.py), peft (the name of an adapter may follow lora_A), diffusers since 0.14.
#include "weights/lora_file.h"

#include <cmath>
#include <map>

#include "core/error.h"
#include "core/json.h"
#include "weights/describe_tensors.h"

namespace hayate {
namespace {

using Kind = LoraModule::Kind;
using Factor = LoraModule::Factor;

// Where a tensor goes in its module.
struct Role {
  Kind kind = Kind::product;
  Factor LoraModule::*factor = nullptr;
  std::string Factor::*tensor = nullptr;
};
constexpr Role down{Kind::product, &LoraModule::first, &Factor::down}, up{Kind::product, &LoraModule::first, &Factor::up},
    mid{Kind::product, &LoraModule::first, &Factor::mid};

constexpr std::pair<std::string_view, Role> endings[] = {
    {".lora_down.weight", down},
    {".lora_up.weight", up},
    {".lora_mid.weight", mid},
    {".lora.down.weight", down},
    {".lora.up.weight", up},
    {".lora_linear_layer.down.weight", down},
    {".lora_linear_layer.up.weight", up},
    {"_lora.down.weight", down},
    {"_lora.up.weight", up},
    {".hada_w1_a", {Kind::hadamard, &LoraModule::first, &Factor::up}},
    {".hada_w1_b", {Kind::hadamard, &LoraModule::first, &Factor::down}},
    {".hada_t1", {Kind::hadamard, &LoraModule::first, &Factor::mid}},
    {".hada_w2_a", {Kind::hadamard, &LoraModule::second, &Factor::up}},
    {".hada_w2_b", {Kind::hadamard, &LoraModule::second, &Factor::down}},
    {".hada_t2", {Kind::hadamard, &LoraModule::second, &Factor::mid}},
    {".lokr_w1", {Kind::kronecker, &LoraModule::first, &Factor::whole}},
    {".lokr_w1_a", {Kind::kronecker, &LoraModule::first, &Factor::up}},
    {".lokr_w1_b", {Kind::kronecker, &LoraModule::first, &Factor::down}},
    {".lokr_w2", {Kind::kronecker, &LoraModule::second, &Factor::whole}},
    {".lokr_w2_a", {Kind::kronecker, &LoraModule::second, &Factor::up}},
    {".lokr_w2_b", {Kind::kronecker, &LoraModule::second, &Factor::down}},
    {".lokr_t2", {Kind::kronecker, &LoraModule::second, &Factor::mid}},
};
constexpr std::string_view alpha_ending = ".alpha", magnitude_ending = ".dora_scale";
// peft's, after which the name of an adapter may stand: "lora_A.weight", "lora_A.ADAPTER.weight".
constexpr std::pair<std::string_view, Role> peft_parts[] = {{".lora_A.", down}, {".lora_B.", up}};
constexpr std::string_view peft_magnitude = ".lora_magnitude_vector";

constexpr std::pair<std::string_view, const char*> other_adapters[] = {
    {".hada_", "another LoHa"}, {".lokr_", "another LoKr"}, {".oft_", "OFT"}, {".diff", "whole differences"},
    {".w_norm", "norms"}, {".b_norm", "norms"}, {".lora_B.bias", "biases"}, {".lora_embedding_", "embeddings"},
};

struct Parsed {
  enum class What : uint8_t { matrix, alpha, magnitude } what;
  std::string module;
  Role role{};
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

// Whether this is nothing, "weight" or "ADAPTER.weight".
bool ends_peft_name(std::string_view rest, bool may_be_empty) {
  constexpr std::string_view weight = "weight";
  if (rest.empty() || rest == weight) return may_be_empty || !rest.empty();
  return rest.ends_with(weight) && rest.find('.') == rest.size() - weight.size() - 1;
}

std::optional<Parsed> parse(const std::string& name) {
  auto before = [&](size_t ending) { return without_processor(name.substr(0, name.size() - ending)); };
  for (const auto& [text, role] : endings)
    if (name.ends_with(text)) return Parsed{Parsed::What::matrix, before(text.size()), role};
  if (name.ends_with(alpha_ending)) return Parsed{Parsed::What::alpha, before(alpha_ending.size())};
  if (name.ends_with(magnitude_ending)) return Parsed{Parsed::What::magnitude, before(magnitude_ending.size())};
  for (const auto& [text, role] : peft_parts)
    if (const size_t at = name.rfind(text); at != name.npos && ends_peft_name(std::string_view(name).substr(at + text.size()), false))
      return Parsed{Parsed::What::matrix, name.substr(0, at), role};
  if (const size_t at = name.rfind(peft_magnitude); at != name.npos) {
    std::string_view rest = std::string_view(name).substr(at + peft_magnitude.size());
    if (rest.starts_with('.')) rest.remove_prefix(1);
    if (ends_peft_name(rest, true)) return Parsed{Parsed::What::magnitude, name.substr(0, at)};
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

// Puts a tensor where it belongs; returns what was there.
std::string take(LoraModule& module, const Parsed& parsed, const std::string& name, const SafetensorsFile& file) {
  switch (parsed.what) {
    case Parsed::What::alpha: return std::exchange(module.alpha, read_alpha(file, name)) ? "its alpha" : "";
    case Parsed::What::magnitude: return std::exchange(module.magnitude, name);
    case Parsed::What::matrix: break;
  }
  for (const Factor* factor : {&module.first, &module.second})
    for (const std::string* other : {&factor->whole, &factor->up, &factor->mid, &factor->down})
      if (!other->empty() && parsed.role.kind != module.kind) return *other;  // of another kind of adapter
  module.kind = parsed.role.kind;
  Factor& factor = module.*parsed.role.factor;
  if (std::string& whole = factor.whole; !whole.empty()) return whole;  // or it is whole or a product
  if (parsed.role.tensor == &Factor::whole)
    for (const std::string* other : {&factor.up, &factor.mid, &factor.down})
      if (!other->empty()) return *other;
  return std::exchange(factor.*parsed.role.tensor, name);
}

void require_whole(const LoraModule& module, const std::string& path) {
  for (auto [factor, number] : {std::pair(&module.first, 1), {&module.second, 2}}) {
    if (!factor->whole.empty() || (module.kind == Kind::product && number == 2)) continue;
    const std::string which = module.kind == Kind::product ? "" : fmt::format("w{} ", number);
    require(!factor->down.empty() && !factor->up.empty(), ErrorKind::bad_file, "{}: module {} has no {}{} matrix: the LoRA is not whole", path,
            excerpt(module.name), which, module.kind == Kind::product ? (factor->down.empty() ? "down (A)" : "up (B)") : factor->up.empty() ? "a" : "b");
  }
}

}  // namespace

LoraFile read_lora(const std::string& path) {
  LoraFile lora{.tensors = std::make_shared<SafetensorsFile>(path), .modules = {}, .unknown = {}};
  const SafetensorsFile& file = *lora.tensors;
  std::map<std::string, LoraModule> modules;
  for (const std::string& name : file.names()) {
    const std::optional<Parsed> parsed = parse(name);
    if (!parsed) {
      for (auto [part, what] : other_adapters)
        require(name.find(part) == name.npos, ErrorKind::unsupported,
                "{}: tensor {} is part of an adapter with {}, which is not supported; LoRA, LoHa and LoKr are, with or without DoRA", path, excerpt(name), what);
      lora.unknown.push_back(name);
      continue;
    }
    LoraModule& module = modules[parsed->module];
    module.name = parsed->module;
    const std::string twice = take(module, *parsed, name, file);
    require(twice.empty(), ErrorKind::bad_file, "{}: module {} has {} and also {}", path, excerpt(module.name), excerpt(twice), excerpt(name));
  }
  require(!modules.empty(), ErrorKind::bad_model, "{}: is not a LoRA: it looks like {}", path, describe_tensors(file));
  for (auto& [name, module] : modules) {
    require_whole(module, path);
    lora.modules.push_back(std::move(module));
  }
  take_alphas_of_metadata(lora);
  return lora;
}

}  // namespace hayate
