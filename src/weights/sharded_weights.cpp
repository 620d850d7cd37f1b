// Names in the index are data: a shard is a file beside the index and nothing else.
#include "weights/sharded_weights.h"

#include <filesystem>

#include "core/error.h"
#include "core/json.h"
#include "weights/folder_listing.h"

namespace hayate {
namespace {

constexpr size_t max_shards = 1000;

}  // namespace

ShardedWeights::ShardedWeights(const std::string& index_path) : path_(index_path) {
  const JsonObject index(read_json_file(path_), path_, ErrorKind::bad_file);
  require(index.has("weight_map"), ErrorKind::bad_file, "{}: has no \"weight_map\", which says in which file each tensor is", path_);
  const JsonObject map(index.raw("weight_map"), path_ + ": \"weight_map\"", ErrorKind::bad_file);
  const std::string folder = std::filesystem::path(path_).parent_path().string();
  for (const std::string& tensor : map.keys()) {
    const std::string file = map.string(tensor);
    auto found = shards_.find(file);
    if (found == shards_.end()) {
      require(is_plain_name(file) && file.ends_with(".safetensors"), ErrorKind::bad_file,
              "{}: puts tensor {} into {}, expected the name of a .safetensors file in the same folder", path_, excerpt(tensor), excerpt(file));
      require(shards_.size() < max_shards, ErrorKind::bad_file, "{}: more than {} shards", path_, max_shards);
      const std::string path = folder.empty() ? file : folder + "/" + file;
      require(present(path), ErrorKind::not_found, "{}: the shard {} is missing: it was not downloaded, or under another name. Found: {}", path_,
              excerpt(file), list_entries(folder.empty() ? "." : folder));
      found = shards_.emplace(file, std::make_unique<SafetensorsFile>(path)).first;
    }
    require(found->second->has(tensor), ErrorKind::bad_file,
            "{}: tensor {} is not in {}, where the index puts it: two shards swapped, or of two models", path_, excerpt(tensor), excerpt(file));
    shard_of_[tensor] = found->second.get();
  }
  require(!shards_.empty(), ErrorKind::bad_file, "{}: the \"weight_map\" is empty", path_);
  for (const auto& [file, shard] : shards_)
    for (const StoredTensor& stored : shard->tensors()) {
      auto listed = shard_of_.find(stored.name);
      require(listed != shard_of_.end() && listed->second == shard.get(), ErrorKind::bad_file,
              "{}: {} holds tensor {}, which the index does not put there", path_, excerpt(file), excerpt(stored.name));
    }
}

std::vector<std::string> ShardedWeights::names() const {
  std::vector<std::string> names;
  for (const auto& [name, shard] : shard_of_) names.push_back(name);
  return names;
}

const SafetensorsFile& ShardedWeights::shard(const std::string& name) const {
  auto found = shard_of_.find(name);
  require(found != shard_of_.end(), ErrorKind::bad_model, "{}: there is no tensor {} among its {}", path_, excerpt(name), shard_of_.size());
  return *found->second;
}

}  // namespace hayate
