// A small convolutional network that reads attributes (time of day, weather, ...) out of a picture.
#pragma once
#include <string>
#include <variant>
#include <vector>

#include "core/json.h"
#include "program/program.h"

namespace hayate {

struct AttributeGroup {
  std::string name;
  std::vector<std::string> classes;  // of which a picture has one
};

struct AttributeClassifierConfig {
  struct Conv { int64_t out; int kernel; ConvAttr attr; };
  struct Layer { std::string name; std::variant<Conv, NormAttr> op; Activation activation; };
  int64_t side;                        // pictures are side x side pixels
  std::vector<Layer> layers;
  std::vector<AttributeGroup> groups;  // their classes one after the other are the logits
};

// attributes.json: {"input": pixels, "layers": [{"type": "conv" | "group_norm", ...}], "groups": [{"name", "classes"}]}.
AttributeClassifierConfig parse_attribute_classifier(const JsonObject&);

// Input "pixels" (n, side, side, 3) in -1..1; output (n, 1, 1, classes of all groups).
Program record_attribute_classifier(const AttributeClassifierConfig&, int64_t n);

}  // namespace hayate
