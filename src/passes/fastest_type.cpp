// One rule for linears and convolutions.
#include "passes/fastest_type.h"

#include <cmath>

namespace hayate {

Node of_fastest_type(const Node& wide, const PassOptions& options, const std::function<double()>& wide_seconds,
                     const std::function<std::optional<Narrow>(Dtype, bool measure)>& narrow) {
  const bool may_stay = options.quantization.layers == Quantization::Layers::gains;
  const bool measure = may_stay || options.quantized.size() > 1;  // else there is nothing to choose
  Node best = wide;
  double least = may_stay ? wide_seconds() : INFINITY;
  bool stays = true;
  for (Dtype t : options.quantized) {
    std::optional<Narrow> found = narrow(t, measure);
    // Where nothing is measured all take no time, and the first type is it.
    if (found && (found->seconds < least || (least == 0 && stays))) least = found->seconds, best = std::move(found->node), stays = false;
  }
  return best;
}

}  // namespace hayate
