// Session and its methods in Python.
#include "session.h"

#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "arrays.h"
#include "bindings.h"

namespace nb = nanobind;

namespace hayate::python {

namespace {

// The latent lasts no longer than the call that tells of it; Python may keep what it is given.
Floats latents_of(const Progress& p, size_t pictures) {
  auto kept = std::make_unique<std::vector<float>>(p.latent.begin(), p.latent.end());
  nb::capsule owner(kept.get(), [](void* v) noexcept { delete static_cast<std::vector<float>*>(v); });
  const size_t h = size_t(p.latent_height), w = size_t(p.latent_width);
  return floats_of(*kept.release(), {pictures, h, w, p.latent.size() / (pictures * h * w)}, owner);
}

}  // namespace

Session::Session(Options options) {
  options.warn = [this](const std::string& text) {
    std::lock_guard lock(warnings_mutex_);
    warnings_.push_back(text);
  };
  thread_.run([&] { pipeline_ = std::make_unique<Pipeline>(options); });
}

Session::~Session() {
  if (!thread_.is_here()) pipeline_.release();  // its threads are not in a forked child, and cannot be waited for
}

Drawn Session::draw(Request request, nb::object on_step) {
  Drawn drawn;
  request.on_step = [&](const Progress& p) {
    drawn.latent_height = p.latent_height;
    drawn.latent_width = p.latent_width;
    if (thread_.stopping() || on_step.is_none()) return !thread_.stopping();
    return thread_.ask([&] { on_step(p.step, p.steps, p.timestep, latents_of(p, request.pictures.size())); });
  };
  request.on_decode = [&](int, int) { return !thread_.stopping(); };
  thread_.run([&] { drawn.result = pipeline_->generate(request); });
  return drawn;
}

std::vector<std::string> Session::take_warnings() {
  std::lock_guard lock(warnings_mutex_);
  return std::exchange(warnings_, {});
}

void bind_session(nb::module_& m) {
  nb::class_<Session>(m, "Session", "One model on one device. Calls of several threads wait for each other.")
      .def(nb::init<Options>(), nb::arg("options"))
      .def("draw", &Session::draw, nb::arg("request"), nb::arg("on_step") = nb::none())
      .def("stop", &Session::stop, "Ends the call that draws now, if any, within a step.")
      .def("take_warnings", &Session::take_warnings)
      .def(
          "set_loras", [](Session& s, const std::vector<Lora>& loras) { return s.with_pipeline([&](Pipeline& p) { return p.set_loras(loras); }); },
          nb::arg("loras"))
      .def(
          "forecast", [](Session& s, const Request& r) { return s.with_pipeline([&](Pipeline& p) { return p.forecast(r); }); }, nb::arg("request"))
      .def(
          "encode_prompts", [](Session& s, const Request& r) { return s.with_pipeline([&](Pipeline& p) { return p.encode_prompts(r); }); },
          nb::arg("request"))
      .def(
          "picture_size", [](Session& s, const Request& r) { return s.with_pipeline([&](Pipeline& p) { return p.picture_size(r); }); },
          nb::arg("request"))
      .def_prop_ro("native_size",
                   [](Session& s) { return s.with_pipeline([](Pipeline& p) {
                                      return std::array{p.native_width(), p.native_height()};
                                    }); })
      .def_prop_ro("model", [](Session& s) { return s.with_pipeline([](Pipeline& p) { return p.model(); }); })
      .def_prop_ro("device", [](Session& s) { return s.with_pipeline([](Pipeline& p) { return p.device(); }); })
      .def_prop_ro("gpu", [](Session& s) { return s.with_pipeline([](Pipeline& p) { return p.gpu(); }); }, "Its number, as DLPack has it; -1: the host.")
      .def_prop_ro("rung", [](Session& s) { return s.with_pipeline([](Pipeline& p) { return p.rung(); }); });
}

}  // namespace hayate::python
