// What comes back: Result, Timings, MemoryForecast, LoraChange.
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "arrays.h"
#include "bindings.h"
#include "session.h"

namespace nb = nanobind;

namespace hayate::python {

namespace {

std::vector<Pixels> images_of(nb::pointer_and_handle<Drawn> self) {
  std::vector<Pixels> all;
  for (Image& image : self.p->result.images) all.push_back(pixels_of(image, self.h));
  return all;
}

Floats latents_of(nb::pointer_and_handle<Drawn> self) {
  Drawn& d = *self.p;
  const size_t pictures = d.result.infotext.size(), h = size_t(d.latent_height), w = size_t(d.latent_width);
  return floats_of(d.result.latents, {pictures, h, w, d.result.latents.size() / (pictures * h * w)}, self.h);
}

}  // namespace

void bind_result(nb::module_& m) {
  nb::class_<Timings>(m, "Timings", "Seconds that the parts of a request took.")
      .def_ro("load", &Timings::load, "reading and preparing weights")
      .def_ro("compile", &Timings::compile, "recording, passes, memory plan")
      .def_ro("text", &Timings::text)
      .def_ro("denoise", &Timings::denoise)
      .def_ro("decode", &Timings::decode)
      .def_ro("total", &Timings::total)
      .def("__repr__", [](const Timings& t) {
        return nb::str("Timings(load={:.3f}, compile={:.3f}, text={:.3f}, denoise={:.3f}, decode={:.3f}, total={:.3f})")
            .format(t.load, t.compile, t.text, t.denoise, t.decode, t.total);
      });

  nb::class_<Drawn>(m, "Drawn", "Pictures and what is known about them.")
      .def_prop_ro("images", images_of, "(height, width, 3) of each picture")
      .def_prop_ro("latents", latents_of, "(pictures, height/8, width/8, 4)")
      .def_prop_ro(
          "gpu", [](const Drawn& d) { return d.result.device_latents.gpu; }, "That has device_latents; -1: the host, or there are none.")
      .def(
          "device_latents", [](const Drawn& d) { return exported(d.result.device_latents, {0, 3, 1, 2}); },
          "Where they were computed, (pictures, 4, height/8, width/8), of a request that decodes nothing.")
      .def_prop_ro("infotext", [](const Drawn& d) { return d.result.infotext; })
      .def_prop_ro("peak_memory", [](const Drawn& d) { return d.result.peak_memory; })
      .def_prop_ro("timings", [](const Drawn& d) { return d.result.timings; });

  nb::class_<MemoryStage>(m, "MemoryStage", "The memory of one stage of a request, bytes.")
      .def_ro("name", &MemoryStage::name)
      .def_ro("weights", &MemoryStage::weights)
      .def_ro("kept", &MemoryStage::kept)
      .def_ro("activations", &MemoryStage::activations)
      .def_ro("scratch", &MemoryStage::scratch)
      .def_ro("peak", &MemoryStage::peak);
  nb::class_<MemoryForecast>(m, "MemoryForecast", "What a request would take, bytes.")
      .def_ro("stages", &MemoryForecast::stages)
      .def_ro("process", &MemoryForecast::process)
      .def_ro("peak", &MemoryForecast::peak)
      .def_ro("budget", &MemoryForecast::budget)
      .def_ro("vae_tiled", &MemoryForecast::vae_tiled)
      .def_ro("would_fit", &MemoryForecast::would_fit, "if it does not fit: changes of which each would make it fit")
      .def_prop_ro("fits", &MemoryForecast::fits)
      .def("__repr__",
           [](const MemoryForecast& f) { return nb::str("MemoryForecast(peak={}, budget={}, fits={})").format(f.peak, f.budget, f.fits()); });

  nb::class_<LoraChange>(m, "LoraChange", "What a change of LoRAs took.")
      .def_ro("tensors", &LoraChange::tensors)
      .def_ro("prepared", &LoraChange::prepared, "bytes")
      .def_ro("seconds", &LoraChange::seconds);
}

}  // namespace hayate::python
