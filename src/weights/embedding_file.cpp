// Which form it is, the names of the tensors say.
#include "weights/embedding_file.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "weights/checkpoint.h"
#include "weights/describe_tensors.h"
#include "weights/safetensors.h"

namespace hayate {
namespace {

constexpr int64_t kMostVectors = 75, kWidest = 16384;  // a prompt of CLIP has room for so many
constexpr const char* kPartNames[] = {"clip_l", "clip_g", "emb_params"};

bool is_part_name(const std::string& name) { return std::ranges::find(kPartNames, name) != std::end(kPartNames); }

EmbeddingVectors read_vectors(const SafetensorsFile& file, const std::string& tensor) {
  const std::vector<int64_t> dims = file.dims(tensor);
  EmbeddingVectors v{.tensor = tensor, .count = dims.size() == 2 ? dims[0] : 1, .width = dims.empty() ? 0 : dims.back(), .dtype = file.dtype(tensor), .values = {}};
  require((dims.size() == 1 || dims.size() == 2) && v.count >= 1 && v.count <= kMostVectors && v.width >= 1 && v.width <= kWidest, ErrorKind::bad_file,
          "{}: {} has the shape [{}]; expected 1 to {} vectors of up to {} numbers", file.path(), tensor, fmt::join(dims, ", "), kMostVectors, kWidest);
  v.values.resize(size_t(v.count * v.width));
  file.read(tensor, Dtype::f32, std::as_writable_bytes(std::span(v.values)));
  require(std::ranges::all_of(v.values, [](float x) { return std::isfinite(x); }), ErrorKind::not_finite, "{}: {} has NaN or infinity in it", file.path(), tensor);
  return v;
}

}  // namespace

EmbeddingFile read_embedding(const std::string& path) {
  const SafetensorsFile file(path);
  const std::vector<std::string> names = file.names();
  const bool parts = !names.empty() && std::ranges::all_of(names, is_part_name);
  require(parts || names.size() == 1, ErrorKind::bad_file, "{}: is no textual inversion: expected tensors clip_l and clip_g, emb_params, or a single one; it looks like {}",
          path, describe_tensors(file));
  EmbeddingFile embedding{.path = path, .words = {model_name(path)}, .parts = {}};
  if (!parts && names[0] != embedding.words[0]) embedding.words.push_back(names[0]);
  for (const std::string& name : names) embedding.parts.push_back(read_vectors(file, name));
  return embedding;
}

}  // namespace hayate
