// The module hayate._core.
#include "bindings.h"

namespace nb = nanobind;

NB_MODULE(_core, module) {
  using namespace hayate::python;
  nb::set_leak_warnings(false);  // what others keep until the interpreter ends, Ray for one, is no news to a user
  module.doc() = "The C++ API of hayate, thinly bound. Import `hayate` instead.";
  bind_errors();
  bind_options(module);
  bind_request(module);
  bind_result(module);
  bind_session(module);
  bind_image_files(module);
  bind_lists(module);
}
