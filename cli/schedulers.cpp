// hayate schedulers: the sampling methods, and what others call them.
#include "hayate/hayate.h"
#include "list_command.h"

namespace hayate::cli {

namespace {

List list_schedulers() {
  List list;
  for (const SchedulerInfo& s : schedulers()) {
    list.table.add({s.name, with_other_names(s.what, s.name, {s.label, s.comfyui, s.sd_cpp, s.diffusers})});
    list.rows.push_back({{"name", s.name},
                         {"a1111", s.label},
                         {"comfyui", s.comfyui},
                         {"sd_cpp", s.sd_cpp},
                         {"diffusers", s.diffusers},
                         {"what", s.what},
                         {"options", s.options}});
  }
  return list;
}

}  // namespace

Subcommand add_schedulers(CLI::App& app) {
  return add_list(app, "schedulers", "Lists the sampling methods.\n\nAny of the names will do, and \"DPM++ 2M Karras\" names a spacing too.",
                  list_schedulers);
}

}  // namespace hayate::cli
