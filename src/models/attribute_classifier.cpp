// The layers are data, so that a classifier trained anew needs no new code.
#include "models/attribute_classifier.h"

#include <set>

#include "core/error.h"
#include "program/builder.h"

namespace hayate {

namespace {
constexpr int64_t kMaxSide = 2048, kMaxWidth = 4096, kMaxLayers = 64, kMaxGroups = 256;

// The elements of a list of objects.
std::vector<JsonObject> objects(const JsonObject& from, const std::string& key, int64_t most) {
  require(from.has(key) && from.raw(key).is_array() && !from.raw(key).empty() && int64_t(from.raw(key).size()) <= most, ErrorKind::bad_file,
          "{}: expected \"{}\" to be a list of 1 to {} objects", from.what(), key, most);
  std::vector<JsonObject> list;
  for (const Json& entry : from.raw(key)) list.emplace_back(entry, fmt::format("{}: {} {}", from.what(), key, list.size()), ErrorKind::bad_file);
  return list;
}

Activation parse_activation(const JsonObject& layer) {
  std::string name = layer.string("activation", "none");
  require(name == "none" || name == "silu", ErrorKind::unsupported, "{}: activation \"{}\"; expected silu or none", layer.what(), name);
  return name == "silu" ? Activation::silu : Activation::none;
}

AttributeClassifierConfig::Layer parse_layer(const JsonObject& layer) {
  std::string type = layer.string("type"), name = layer.string("name");
  Activation activation = parse_activation(layer);
  if (type == "conv") {
    int padding = int(layer.integer("padding", 0, 16)), stride = int(layer.integer("stride", 1, 8));
    AttributeClassifierConfig::Conv conv{layer.integer("out", 1, kMaxWidth), int(layer.integer("kernel", 1, 16)),
                                         {.stride = stride, .pad_begin = padding, .pad_end = padding}};
    return {name, conv, activation};
  }
  require(type == "group_norm", ErrorKind::unsupported, "{}: type \"{}\"; expected conv or group_norm", layer.what(), type);
  return {name, NormAttr{.groups = int(layer.integer("groups", 1, kMaxWidth)), .eps = float(layer.number("eps", 1e-12, 1))}, activation};
}

AttributeGroup parse_group(const JsonObject& group) {
  AttributeGroup parsed{group.string("name"), {}};
  const std::string expected = fmt::format("{}: expected \"classes\" to be a list of at least two different names", group.what());
  require(group.has("classes") && group.raw("classes").is_array(), ErrorKind::bad_file, "{}", expected);
  for (const Json& name : group.raw("classes")) {
    require(name.is_string(), ErrorKind::bad_file, "{}", expected);
    parsed.classes.push_back(name);
  }
  std::set<std::string> different(parsed.classes.begin(), parsed.classes.end());
  require(different.size() == parsed.classes.size() && different.size() >= 2, ErrorKind::bad_file, "{}", expected);
  return parsed;
}
}  // namespace

AttributeClassifierConfig parse_attribute_classifier(const JsonObject& json) {
  AttributeClassifierConfig config{.side = json.integer("input", 8, kMaxSide), .layers = {}, .groups = {}};
  for (const JsonObject& layer : objects(json, "layers", kMaxLayers)) config.layers.push_back(parse_layer(layer));
  std::set<std::string> names;
  for (const JsonObject& group : objects(json, "groups", kMaxGroups)) {
    config.groups.push_back(parse_group(group));
    const std::string& name = config.groups.back().name;
    require(names.insert(name).second, ErrorKind::bad_file, "{}: the name \"{}\" is taken", group.what(), name);
  }
  return config;
}

Program record_attribute_classifier(const AttributeClassifierConfig& config, int64_t n) {
  Program p;
  Builder b(p);
  Value x = b.input("pixels", {n, config.side, config.side, 3}, Rate::prompt);
  for (const AttributeClassifierConfig::Layer& layer : config.layers) {
    if (auto* conv = std::get_if<AttributeClassifierConfig::Conv>(&layer.op))
      x = b.conv2d(layer.name, x, conv->out, conv->kernel, conv->attr);
    else
      x = b.group_norm(layer.name, x, std::get<NormAttr>(layer.op).groups, std::get<NormAttr>(layer.op).eps);
    x = b.activation(layer.name + ".activation", x, layer.activation);
  }
  int64_t logits = 0;
  for (const AttributeGroup& group : config.groups) logits += int64_t(group.classes.size());
  const Shape expected{n, 1, 1, logits};
  require(b.shape(x) == expected, ErrorKind::bad_file, "the attribute classifier ends in {}; its groups expect {}", to_string(b.shape(x)),
          to_string(expected));
  p.outputs = {x};
  return p;
}

}  // namespace hayate
