// How steps are spread: by timesteps, or by sigmas between the ends of the timesteps.
#pragma once
#include <optional>
#include <span>
#include <string>

#include "schedule/names.h"
#include "schedule/scheduler_config.h"

namespace hayate {

struct Spacing {
  const char* name;
  const char* label;    // what AUTOMATIC1111 calls it
  const char* comfyui;  // and others; empty: not there
  const char* sd_cpp;   // stable-diffusion.cpp
  const char* what;
  std::optional<TimestepSpacing> timesteps;  // none: the model's own
  SigmaSpacing sigmas;
};

std::span<const Spacing> spacing_table();
const Names& spacing_names();  // in the order of the table

// By any of its names; Error(usage) otherwise.
const Spacing& spacing_named(const std::string& name);

// The one of the table that spreads sigmas so; for SigmaSpacing::timesteps none.
const Spacing* spacing_of(SigmaSpacing);

}  // namespace hayate
