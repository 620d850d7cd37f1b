// The table of schedulers. A new one is a file and a row here.
#include "schedule/scheduler_table.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/json.h"
#include "schedule/schedulers.h"

namespace hayate {
namespace {

constexpr std::array table = {
    Scheduler{"euler",
              "Euler",
              "euler",
              "euler",
              "EulerDiscreteScheduler",
              "the plain choice, and for Lightning models with trailing spacing",
              Course::sigmas,
              euler_schedule,
              {},
              true},
    Scheduler{"euler_ancestral", "Euler a", "euler_ancestral", "euler_a", "EulerAncestralDiscreteScheduler",
              "new noise in each step; for SDXL Turbo, in 1 to 4 steps", Course::sigmas, euler_ancestral_schedule, 1},
    Scheduler{"ddim", "DDIM", "ddim", "", "DDIMScheduler", "the oldest without new noise; for Hyper-SD models with trailing spacing",
              Course::timesteps, ddim_schedule, 0},
    Scheduler{"lcm", "LCM", "lcm", "lcm", "LCMScheduler", "for LCM and LCM-LoRA models, in 1 to 8 steps", Course::distilled, lcm_schedule},
    Scheduler{"tcd", "TCD", "", "tcd", "TCDScheduler", "for TCD and Hyper-SD models, in 1 to 8 steps", Course::distilled, tcd_schedule, 0.3},
    Scheduler{"dpmpp_2m",
              "DPM++ 2M",
              "dpmpp_2m",
              "dpm++2m",
              "DPMSolverMultistepScheduler",
              "of second order: good pictures in 15 to 25 steps, best with Karras sigmas",
              Course::sigmas,
              dpmpp_2m_schedule,
              {},
              false,
              {{SolverAlgorithm::ode, 2}}},
    Scheduler{"dpmpp_2m_sde",
              "DPM++ 2M SDE",
              "dpmpp_2m_sde",
              "dpm++2m_sde",
              "DPMSolverMultistepScheduler",
              "the same with new noise in each step",
              Course::sigmas,
              dpmpp_2m_schedule,
              1,
              false,
              {{SolverAlgorithm::sde, 2}}},
    Scheduler{"dpmpp_3m",
              "DPM++ 3M",
              "",
              "",
              "DPMSolverMultistepScheduler",
              "of third order, for 20 steps and more",
              Course::sigmas,
              dpmpp_3m_schedule,
              {},
              false,
              {{SolverAlgorithm::ode, 3}}},
    Scheduler{"dpmpp_3m_sde",
              "DPM++ 3M SDE",
              "dpmpp_3m_sde",
              "",
              "DPMSolverMultistepScheduler",
              "the same with new noise in each step",
              Course::sigmas,
              dpmpp_3m_schedule,
              1,
              false,
              {{SolverAlgorithm::sde, 3}}},
    Scheduler{"dpmpp_sde", "DPM++ SDE", "dpmpp_sde", "", "DPMSolverSDEScheduler",
              "new noise, and two calls of the model a step: as good in half of the steps", Course::sigmas, dpmpp_sde_schedule, 1},
    Scheduler{"unipc", "UniPC", "uni_pc", "", "UniPCMultistepScheduler", "corrects each step by the next call: good pictures in 10 to 20 steps",
              Course::sigmas, unipc_schedule},
    Scheduler{"deis", "DEIS", "deis", "", "DEISMultistepScheduler", "extrapolates the noise: good pictures in 15 to 25 steps", Course::sigmas,
              deis_schedule},
    Scheduler{"heun", "Heun", "heun", "heun", "HeunDiscreteScheduler", "two calls of the model a step: precise and slow", Course::sigmas,
              heun_schedule},
    Scheduler{"dpm2", "DPM2", "dpm_2", "dpm2", "KDPM2DiscreteScheduler", "likewise, by the slope in the middle", Course::sigmas, dpm2_schedule},
    Scheduler{"dpm2_ancestral", "DPM2 a", "dpm_2_ancestral", "", "KDPM2AncestralDiscreteScheduler", "the same with new noise in each step",
              Course::sigmas, dpm2_schedule, 1},
    Scheduler{"lms", "LMS", "lms", "lms", "LMSDiscreteScheduler", "of fourth order: best in 30 steps and more", Course::sigmas, lms_schedule},
    Scheduler{"pndm", "PLMS", "", "", "PNDMScheduler", "likewise; the first choice of Stable Diffusion 1.x", Course::timesteps, pndm_schedule},
    Scheduler{"ddpm", "DDPM", "ddpm", "", "DDPMScheduler", "as the model was trained: new noise, hundreds of steps", Course::timesteps,
              ddpm_schedule},
};

const Names& names() {
  static const Names all = [] {
    Names made;
    for (const Scheduler& s : table) made.add({s.name, s.a1111, s.comfyui, s.sd_cpp, s.diffusers});
    return made;
  }();
  return all;
}

}  // namespace

std::span<const Scheduler> scheduler_table() { return table; }

NamedScheduler find_scheduler(const std::string& name) {
  if (std::optional<size_t> whole = names().find(name)) return {&table[*whole], nullptr};
  constexpr size_t longest = 64;
  const std::string key = name_key(name);
  for (size_t at = 1; at < std::min(key.size(), longest); ++at) {
    const std::optional<size_t> first = names().find(key.substr(0, at)), second = spacing_names().find(key.substr(at));
    if (first && second) return {&table[*first], &spacing_table()[*second]};
  }
  fail(ErrorKind::usage, "no scheduler is named {}; {}", excerpt(name), names().hint(name));
}

const Scheduler& scheduler_of(const SchedulerConfig& config) {
  auto is_it = [&](const Scheduler& s) {
    return s.diffusers == config.class_name &&
           (!s.solver || (s.solver->algorithm == config.algorithm_type && s.solver->order == config.solver_order));
  };
  auto found = std::ranges::find_if(table, is_it);
  if (found != table.end()) return *found;
  std::vector<std::string> known;
  for (const Scheduler& s : table) known.emplace_back(s.name);
  const bool solver = std::ranges::any_of(table, [&](const Scheduler& s) { return s.solver && s.diffusers == config.class_name; });
  fail(ErrorKind::unsupported, "{}: the scheduler {}{} is not supported; choose one of: {}", config.what, config.class_name,
       solver ? fmt::format(" of order {}", config.solver_order) : "", fmt::join(known, ", "));
}

}  // namespace hayate
