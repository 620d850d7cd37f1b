// The table of spacings.
#include "schedule/spacings.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/json.h"

namespace hayate {
namespace {

constexpr std::array table = {
    Spacing{"leading", "DDIM", "ddim_uniform", "", "whole timesteps from the first one on, far from pure noise; what SDXL asks for",
            TimestepSpacing::leading, SigmaSpacing::timesteps},
    Spacing{"trailing", "Trailing", "", "", "whole timesteps back from the last one; for Turbo, Lightning and other few-step models",
            TimestepSpacing::trailing, SigmaSpacing::timesteps},
    Spacing{"linspace", "Uniform", "normal", "discrete", "from the last timestep to the first", TimestepSpacing::linspace, SigmaSpacing::timesteps},
    Spacing{"sgm_uniform", "SGM Uniform", "sgm_uniform", "sgm_uniform", "linspace with one step more, of which the last is left out",
            TimestepSpacing::sgm_uniform, SigmaSpacing::timesteps},
    Spacing{"simple", "Simple", "simple", "simple", "trailing, rounded as ComfyUI does", TimestepSpacing::simple, SigmaSpacing::timesteps},
    Spacing{"karras", "Karras", "karras", "karras", "more steps at low noise: fine detail in few steps", std::nullopt, SigmaSpacing::karras},
    Spacing{"exponential", "Exponential", "exponential", "exponential", "even in the logarithm of the noise, smoother than karras", std::nullopt,
            SigmaSpacing::exponential},
    Spacing{"beta", "Beta", "beta", "beta", "more steps at both ends", std::nullopt, SigmaSpacing::beta},
    Spacing{"ays", "Align Your Steps", "", "ays", "optimised for 10 steps of SDXL and Stable Diffusion 1.5", std::nullopt, SigmaSpacing::ays},
};

}  // namespace

std::span<const Spacing> spacing_table() { return table; }

const Names& spacing_names() {
  static const Names names = [] {
    Names all;
    for (const Spacing& s : table) all.add({s.name, s.label, s.comfyui, s.sd_cpp});
    return all;
  }();
  return names;
}

const Spacing& spacing_named(const std::string& name) {
  const std::optional<size_t> found = spacing_names().find(name);
  require(found.has_value(), ErrorKind::usage, "no spacing is named {}; {}", excerpt(name), found ? "" : spacing_names().hint(name));
  return table[*found];
}

const Spacing* spacing_of(SigmaSpacing sigmas) {
  auto found = std::ranges::find_if(table, [&](const Spacing& s) { return !s.timesteps && s.sigmas == sigmas; });
  return found == table.end() ? nullptr : &*found;
}

}  // namespace hayate
