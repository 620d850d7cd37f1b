// Pipelines by key on one device, as many as its memory holds; the one that was used longest ago gives way.
#pragma once
#include <list>

#include "server/catalog.h"
#include "server/job.h"
#include "server/preview.h"

namespace hayate::server {

struct PooledPipeline {
  PipelineKey key{};
  Pipeline pipeline;
  int64_t peak = 0;  // bytes, of the largest request so far
};

class PipelinePool {
 public:
  PipelinePool(const Catalog& catalog, std::string device) : catalog_(catalog), device_(std::move(device)) {}

  // One without LoRAs; throws as Pipeline. The reference is good until the next call.
  PooledPipeline& open(const PipelineKey&);
  // The pipeline with its LoRAs on it, and with room for the request: others are closed while it does not fit beside them. The reference is good
  // until the next call.
  PooledPipeline& get(const Setup&, const Request&);
  // What a model's latents look like; shared by its rungs.
  LatentPreview& preview(const std::string& model) { return previews_[model]; }
  std::vector<PipelineKey> loaded() const;
  int64_t bytes() const;  // that the open pipelines may take, at most

 private:
  bool fits(PooledPipeline&, const Request&);
  Options options_of(const PipelineKey&) const;

  const Catalog& catalog_;
  const std::string device_;
  std::list<PooledPipeline> open_;  // the last used first
  std::map<std::string, LatentPreview> previews_;
};

}  // namespace hayate::server
