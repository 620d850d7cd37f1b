// What there is to choose from.
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "hayate/hayate.h"

namespace nb = nanobind;

namespace hayate::python {

void bind_lists(nb::module_& m) {
  m.def("version", &version);
  m.def(
      "rungs",
      [](const std::string& device) {
        std::vector<std::string> names;
        for (const RungInfo& r : rungs(device)) names.push_back(r.name);
        return names;
      },
      nb::arg("device") = "", "The rungs of the ladder, slowest first.");
  m.def(
      "schedulers",
      [] {
        std::vector<std::string> names;
        for (const SchedulerInfo& s : schedulers()) names.push_back(s.name);
        return names;
      },
      "Schedulers by name.");
  m.def(
      "spacings",
      [] {
        std::vector<std::string> names;
        for (const SpacingInfo& s : spacings()) names.push_back(s.name);
        return names;
      },
      "How steps can be spread.");
  m.def("devices", &device_names, "For `device`, whether this machine has them or not.");
}

}  // namespace hayate::python
