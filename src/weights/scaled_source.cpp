// Products are made in float32 and rounded once.
#include "weights/scaled_source.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/json.h"
#include "weights/mapped_source.h"
#include "weights/read_altered.h"

namespace hayate {
namespace {

constexpr std::string_view scales[] = {".weight_scale", ".scale_weight"};
// Activations get scales of their own as the program runs. A mark tells a format that the types of the weights tell as well.
constexpr std::string_view ignored[] = {".input_scale", ".scale_input", ".comfy_quant", ".scaled_fp8"};

std::string_view ending(std::span<const std::string_view> among, const std::string& name) {
  auto found = std::ranges::find_if(among, [&](std::string_view end) { return name.ends_with(end); });
  return found == among.end() ? std::string_view() : *found;
}

float read_scale(const TensorSource& stored, const std::string& name, const std::string& path) {
  require(element_count(stored.dims(name)) == 1, ErrorKind::unsupported,
          "{}: tensor {} has the shape ({}), expected one number: scales of rows or blocks are not supported. Use a file that is not quantized", path,
          excerpt(name), fmt::join(stored.dims(name), ", "));
  float scale;
  stored.read(name, Dtype::f32, std::as_writable_bytes(std::span(&scale, 1)));
  require(std::isfinite(scale), ErrorKind::not_finite, "{}: tensor {} is {}, expected a finite number", path, excerpt(name), scale);
  return scale;
}

}  // namespace

std::shared_ptr<const TensorSource> with_scales(std::shared_ptr<const TensorSource> stored, const std::string& path) {
  std::vector<std::string> names;
  std::map<std::string, float> found;
  for (const std::string& name : stored->names()) {
    if (name == "scaled_fp8" || !ending(ignored, name).empty()) continue;
    const std::string_view end = ending(scales, name);
    if (end.empty()) {
      names.push_back(name);
      continue;
    }
    const std::string weight = name.substr(0, name.size() - end.size()) + ".weight";
    require(stored->has(weight), ErrorKind::bad_model, "{}: tensor {} is to scale {}, which is missing", path, excerpt(name), excerpt(weight));
    const bool first = found.emplace(weight, read_scale(*stored, name, path)).second;
    require(first, ErrorKind::bad_model, "{}: tensor {} is not the only one that is to scale {}", path, excerpt(name), excerpt(weight));
  }
  if (names.size() == stored->names().size()) return stored;
  return std::make_shared<ScaledSource>(std::move(stored), std::move(names), std::move(found));
}

ScaledSource::ScaledSource(std::shared_ptr<const TensorSource> stored, std::vector<std::string> names, std::map<std::string, float> scales)
    : stored_(std::move(stored)), names_(std::move(names)), scales_(std::move(scales)) {}

bool ScaledSource::has(const std::string& name) const {
  return name != "scaled_fp8" && ending(ignored, name).empty() && ending(scales, name).empty() && stored_->has(name);
}

Dtype ScaledSource::dtype(const std::string& name) const {
  const Dtype stored = stored_->dtype(name);  // its error names an integer
  return scales_.contains(name) ? Dtype::f32 : stored;
}

std::string ScaledSource::stored_as(const std::string& name) const { return stored_->stored_as(name) + (scales_.contains(name) ? " scaled" : ""); }

void ScaledSource::read(const std::string& name, Dtype as, std::span<std::byte> out, int64_t first) const {
  auto scale = scales_.find(name);
  if (scale == scales_.end()) return stored_->read(name, as, out, first);
  read_altered(*stored_, name, as, out, first, [&](std::span<float> some, int64_t) {
    for (float& v : some) v *= scale->second;
  });
}

}  // namespace hayate
