// The article's rule and patterns.
#include "passes/quantization.h"

#include <algorithm>
#include <utility>

#include "core/glob.h"

namespace hayate {

namespace {
// dynamic_quant_filter_fn of huggingface/diffusion-fast, utils/pipeline_utils.py: sizes (in, out) of linears that stay as they are.
constexpr std::pair<int, int> kArticleLeavesOut[] = {{1280, 640}, {1920, 1280}, {1920, 640}, {2048, 1280}, {2048, 2560}, {2560, 1280}, {256, 128},
                                                     {2816, 1280}, {320, 640}, {512, 1536}, {512, 256}, {512, 512}, {640, 1280}, {640, 1920},
                                                     {640, 320}, {640, 5120}, {640, 640}, {960, 320}, {960, 640}};
}  // namespace

bool Quantization::allows(const std::string& layer, int64_t in, int64_t out) const {
  switch (layers) {
    case Layers::gains:
    case Layers::all: return true;
    case Layers::article:
      return in > 16 && std::ranges::none_of(kArticleLeavesOut, [&](auto size) { return size.first == in && size.second == out; });
    case Layers::matching: return std::ranges::any_of(patterns, [&](const std::string& p) { return glob_match(p, layer); });
  }
  return false;
}

}  // namespace hayate
