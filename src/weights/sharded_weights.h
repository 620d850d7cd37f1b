// One set of tensors spread over several .safetensors files, with an index that says where each is.
#pragma once
#include <map>
#include <memory>

#include "weights/safetensors.h"

namespace hayate {

class ShardedWeights : public TensorSource {
 public:
  // Opens the index and every shard. Error(bad_file) for names of shards that leave the folder, for a shard that lacks what the
  // index says it has or holds more than that; each names index and shard.
  explicit ShardedWeights(const std::string& index_path);

  std::vector<std::string> names() const override;  // in the order of the index
  bool has(const std::string& name) const override { return shard_of_.contains(name); }
  std::vector<int64_t> dims(const std::string& name) const override { return shard(name).dims(name); }
  Dtype dtype(const std::string& name) const override { return shard(name).dtype(name); }
  std::string stored_as(const std::string& name) const override { return shard(name).stored_as(name); }
  using TensorSource::read;
  void read(const std::string& name, Dtype as, std::span<std::byte> out, int64_t first) const override { shard(name).read(name, as, out, first); }
  void announce(const std::string& name) const override { shard(name).announce(name); }

 private:
  const SafetensorsFile& shard(const std::string& name) const;

  std::string path_;
  std::map<std::string, std::unique_ptr<SafetensorsFile>> shards_;  // by file name
  std::map<std::string, const SafetensorsFile*> shard_of_;          // by tensor
};

}  // namespace hayate
