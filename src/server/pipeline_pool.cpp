// Whether a request fits is asked of Pipeline::forecast, which reads no weights.
#include "server/pipeline_pool.h"

#include <algorithm>

namespace hayate::server {

Options PipelinePool::options_of(const PipelineKey& key) const {
  Options options = catalog_.model(key.model).options;
  options.rung = key.rung;
  options.device = device_;
  return options;
}

int64_t PipelinePool::bytes() const {
  int64_t bytes = 0;
  for (const PooledPipeline& p : open_) bytes += p.peak;
  return bytes;
}

// A limit that was given is one for all of them together. What a machine has left is measured, others being loaded.
bool PipelinePool::fits(PooledPipeline& wanted, const Request& request) {
  const MemoryForecast forecast = wanted.pipeline.forecast(request);
  const int64_t limit = catalog_.model(wanted.key.model).options.memory_limit,
                before = std::exchange(wanted.peak, std::max(wanted.peak, forecast.peak + forecast.originals_on_device));
  const bool fit = forecast.fits() && (limit == 0 || bytes() <= limit);
  if (!fit) wanted.peak = before;
  return fit;
}

PooledPipeline& PipelinePool::open(const PipelineKey& key) {
  auto found = std::ranges::find(open_, key, &PooledPipeline::key);
  if (found == open_.end())
    open_.push_front({.key = key, .pipeline = Pipeline(options_of(key))});
  else
    open_.splice(open_.begin(), open_, found);
  return open_.front();
}

PooledPipeline& PipelinePool::get(const Setup& wanted, const Request& request) {
  open(wanted.pipeline).pipeline.set_loras(wanted.loras);
  while (open_.size() > 1 && !fits(open_.front(), request)) open_.pop_back();
  return open_.front();
}

std::vector<PipelineKey> PipelinePool::loaded() const {
  std::vector<PipelineKey> keys;
  for (const PooledPipeline& p : open_) keys.push_back(p.key);
  return keys;
}

}  // namespace hayate::server
