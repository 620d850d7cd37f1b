// Always in float32 on the CPU: the measure must not change with what is measured.
#include "quality/attribute_reader.h"

#include <algorithm>

#include "core/error.h"
#include "pipeline/read_floats.h"
#include "weights/check_tensors.h"
#include "weights/safetensors.h"

namespace hayate {

namespace {
std::shared_ptr<const TensorSource> open_weights(const std::string& file, const AttributeClassifierConfig& config) {
  auto source = std::make_shared<SafetensorsFile>(file);
  check_tensors(*source, {record_attribute_classifier(config, 1)}, {}, file);
  return source;
}
}  // namespace

AttributeReader::AttributeReader(const std::string& folder)
    : config_(parse_attribute_classifier({read_json_file(folder + "/attributes.json"), folder + "/attributes.json", ErrorKind::bad_file})),
      compiler_{make_cpu_backend(), &find_rung("fp32"), {}},
      component_("attributes", open_weights(folder + "/attributes.safetensors", config_), compiler_) {}

std::vector<size_t> AttributeReader::read(const Image& image) {
  require(image.width == config_.side && image.height == config_.side, ErrorKind::usage, "the attributes of a {}x{} picture cannot be read; expected {}x{}",
          image.width, image.height, config_.side, config_.side);
  CompileSeconds seconds;
  auto exec = component_.executable({"one picture", [&] { return record_attribute_classifier(config_, 1); }}, false, seconds);
  std::vector<float> pixels(image.rgb.size());
  std::ranges::transform(image.rgb, pixels.begin(), [](uint8_t v) { return float(v) / 127.5f - 1; });
  exec->write("pixels", std::as_bytes(std::span(pixels)));
  exec->run(Rate::prompt);
  std::vector<float> logits = read_floats(*exec, exec->program().outputs[0]);

  std::vector<size_t> classes;
  auto at = logits.begin();
  for (const AttributeGroup& group : config_.groups) {
    auto end = at + long(group.classes.size());
    classes.push_back(size_t(std::max_element(at, end) - at));
    at = end;
  }
  return classes;
}

}  // namespace hayate
