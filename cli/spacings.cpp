// hayate spacings: how steps can be spread, and what others call that.
#include "hayate/hayate.h"
#include "list_command.h"

namespace hayate::cli {

namespace {

List list_spacings() {
  List list;
  for (const SpacingInfo& s : spacings()) {
    list.table.add({s.name, with_other_names(s.what, s.name, {s.label, s.comfyui, s.sd_cpp})});
    list.rows.push_back({{"name", s.name}, {"a1111", s.label}, {"comfyui", s.comfyui}, {"sd_cpp", s.sd_cpp}, {"what", s.what}, {"sigmas", s.sigmas}});
  }
  return list;
}

}  // namespace

Subcommand add_spacings(CLI::App& app) { return add_list(app, "spacings", "Lists how the steps of a schedule can be spread.", list_spacings); }

}  // namespace hayate::cli
