// Options and Lora.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "hayate/hayate.h"

namespace nb = nanobind;

namespace hayate::python {

void bind_options(nb::module_& m) {
  nb::enum_<VaeTiling>(m, "VaeTiling", "Whether the VAE decodes a picture tile by tile.")
      .value("automatic", VaeTiling::automatic, "where memory is not enough for the decoder in one piece")
      .value("on", VaeTiling::on)
      .value("off", VaeTiling::off);

  nb::class_<Lora>(m, "Lora", "A LoRA, LoHa, LoKr or DoRA file that is added to the weights of UNet and text encoders.")
      .def(
          "__init__",
          [](Lora* self, std::string path, float weight, std::optional<float> text_weight) {
            new (self) Lora{std::move(path), weight, text_weight};
          },
          nb::arg("path"), nb::arg("weight") = Lora{}.weight, nb::arg("text_weight") = nb::none())
      .def_rw("path", &Lora::path, ".safetensors file")
      .def_rw("weight", &Lora::weight, "how much of it; less than 0 takes it away")
      .def_rw("text_weight", &Lora::text_weight, "of its parts for text encoders; None: weight")
      .def("__repr__", [](const Lora& l) { return nb::str("Lora({!r}, {:g})").format(l.path, l.weight); });

  nb::class_<Options>(m, "Options", "What a pipeline is opened with. include/hayate/hayate.h says what each field means.")
      .def(nb::init<>())
      .def_rw("model", &Options::model)
      .def_rw("refiner", &Options::refiner)
      .def_rw("unet", &Options::unet)
      .def_rw("vae", &Options::vae)
      .def_rw("tiny_decoder", &Options::tiny_decoder)
      .def_rw("text_encoder", &Options::text_encoder)
      .def_rw("text_encoder_2", &Options::text_encoder_2)
      .def_rw("loras", &Options::loras)
      .def_rw("embeddings", &Options::embeddings)
      .def_rw("lora_folder", &Options::lora_folder)
      .def_rw("hub_cache", &Options::hub_cache)
      .def_rw("random", &Options::random)
      .def_rw("device", &Options::device)
      .def_rw("rung", &Options::rung)
      .def_rw("dtype", &Options::dtype)
      .def_rw("quantize_layers", &Options::quantize_layers)
      .def_rw("quantize_convolutions", &Options::quantize_convolutions)
      .def_rw("vae_dtype", &Options::vae_dtype)
      .def_rw("vae_tiling", &Options::vae_tiling)
      .def_rw("deterministic", &Options::deterministic)
      .def_rw("low_memory", &Options::low_memory)
      .def_rw("memory_limit", &Options::memory_limit);
}

}  // namespace hayate::python
