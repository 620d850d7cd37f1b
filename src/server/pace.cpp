// An average that forgets.
#include "server/pace.h"

#include <algorithm>
#include <cmath>

namespace hayate::server {

double Pace::work(const Request& request, size_t pictures) {
  const bool guided = std::ranges::any_of(request.pictures, [](const Picture& p) { return p.guidance > 1; });
  constexpr double unknown_side = 512;  // the model's own size, of one that was not loaded yet
  const double pixels = (request.width ? request.width : unknown_side) * (request.height ? request.height : unknown_side);
  double steps = request.init_image ? std::ceil(request.steps * request.strength) : request.steps;
  if (const auto& h = request.hires) steps += h->scale * h->scale * (std::ceil((h->steps ? h->steps : request.steps) * h->strength) + 2);
  return pixels * (steps + 2) * (guided ? 2 : 1) * double(pictures);  // text and decoding: some two steps
}

void Pace::learn(const PipelineKey& key, double work, double seconds) {
  constexpr double newest = 0.3;
  std::lock_guard lock(mutex_);
  const double measured = seconds / work;
  auto [known, first] = seconds_per_work_.emplace(key, measured);
  if (!first) known->second += newest * (measured - known->second);
  last_ = known->second;
}

std::optional<double> Pace::seconds(const PipelineKey& key, double work) const {
  std::lock_guard lock(mutex_);
  auto known = seconds_per_work_.find(key);
  const double each = known == seconds_per_work_.end() ? last_ : known->second;
  return each > 0 ? std::optional(each * work) : std::nullopt;
}

}  // namespace hayate::server
