// Choosing by name alone: nothing is opened that is not used.
#include "weights/weight_files.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/error.h"
#include "weights/folder_listing.h"
#include "weights/safetensors.h"
#include "weights/scaled_source.h"
#include "weights/sharded_weights.h"

namespace hayate {
namespace {

struct WeightFile {
  std::string name, variant;
  bool sharded;
};

// "fp16" for the names "model.fp16.safetensors" and "model.safetensors.index.fp16.json", "" for those without a variant; nothing for
// other files, the shards themselves among them.
std::optional<WeightFile> parse_name(const std::string& name) {
  constexpr std::string_view bases[] = {"diffusion_pytorch_model", "model"}, file = ".safetensors", index = ".safetensors.index", json = ".json";
  for (std::string_view base : bases) {
    if (!name.starts_with(base)) continue;
    std::string rest = name.substr(base.size());
    const bool sharded = rest.starts_with(index) && rest.ends_with(json);
    if (sharded)
      rest = rest.substr(index.size(), rest.size() - index.size() - json.size());
    else if (rest.ends_with(file))
      rest.resize(rest.size() - file.size());
    else
      continue;
    const bool one_dot = rest.empty() || (rest.front() == '.' && rest.size() > 1 && rest.find('.', 1) == rest.npos);
    const bool is_shard = rest.find("-of-") != rest.npos;
    if (one_dot && !is_shard) return WeightFile{name, rest.empty() ? "" : rest.substr(1), sharded};
  }
  return std::nullopt;
}

// Plain before variants, wide before narrow, one file before shards.
auto preference(const WeightFile& file) {
  constexpr std::array<std::string_view, 4> known = {"", "fp32", "fp16", "bf16"};
  return std::tuple(std::ranges::find(known, file.variant) - known.begin(), file.variant, file.sharded, file.name);
}

bool is_pickle(const std::string& name) {
  return std::ranges::any_of(std::array{".bin", ".ckpt", ".pt", ".pth"}, [&](const char* ending) { return name.ends_with(ending); });
}

}  // namespace

std::shared_ptr<const TensorSource> open_weights(const std::string& folder) {
  std::vector<WeightFile> files;
  const std::vector<std::string> entries = folder_entries(folder);
  for (const std::string& name : entries)
    if (std::optional<WeightFile> file = parse_name(name)) files.push_back(*file);
  if (files.empty()) {
    auto pickle = std::ranges::find_if(entries, is_pickle);
    require(pickle == entries.end(), ErrorKind::unsupported,
            "{}/{}: is a PyTorch pickle, which can run code when it is read; hayate reads .safetensors only. Most models have both: look for the "
            ".safetensors file, or save the model again with safe_serialization=True",
            folder, pickle == entries.end() ? "" : *pickle);
    fail(ErrorKind::not_found,
         "{}: looked for diffusion_pytorch_model.safetensors or model.safetensors, a variant of it such as .fp16., or shards "
         "with a .safetensors.index.json. Found: {}",
         folder, list_entries(folder));
  }
  const WeightFile chosen = *std::ranges::min_element(files, {}, preference);
  const std::string path = folder + "/" + chosen.name;
  if (chosen.sharded) return with_scales(std::make_shared<ShardedWeights>(path), path);
  return with_scales(std::make_shared<SafetensorsFile>(path), path);
}

}  // namespace hayate
