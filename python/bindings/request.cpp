// Request, Picture and what they are made of.
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>

#include "arrays.h"
#include "bindings.h"

namespace nb = nanobind;

namespace hayate::python {

namespace {

void bind_choices(nb::module_& m) {
  nb::enum_<Noise>(m, "Noise", "Which random numbers a seed stands for.")
      .value("torch_cpu", Noise::torch_cpu)
      .value("torch_cpu_fp16", Noise::torch_cpu_fp16)
      .value("torch_cpu_bf16", Noise::torch_cpu_bf16)
      .value("torch_cuda", Noise::torch_cuda);
  nb::enum_<PromptSyntax>(m, "PromptSyntax", "How prompts are read.")
      .value("diffusers", PromptSyntax::diffusers)
      .value("a1111", PromptSyntax::a1111)
      .value("comfy", PromptSyntax::comfy);
  nb::enum_<Fit>(m, "Fit", "How a picture of another shape comes to a size.")
      .value("stretch", Fit::stretch)
      .value("crop", Fit::crop)
      .value("fill", Fit::fill);
  nb::enum_<Upscaler>(m, "Upscaler", "How the picture of a first pass is enlarged for the second.")
      .value("latent", Upscaler::latent)
      .value("latent_bicubic", Upscaler::latent_bicubic)
      .value("latent_nearest", Upscaler::latent_nearest)
      .value("lanczos", Upscaler::lanczos);
}

void bind_device_array(nb::module_& m) {
  nb::class_<DeviceArray>(m, "DeviceArray", "Floats that lie in memory of someone else, on the host or a GPU, which it keeps.")
      .def(
          "__init__", [](DeviceArray* self, const NumbersIn& numbers) { new (self) DeviceArray(device_array_of(numbers)); }, nb::arg("numbers"),
          nb::sig("def __init__(self, numbers: typing.Any) -> None"), "Of what has DLPack or the buffer protocol, or a capsule of DLPack.")
      .def_prop_ro(
          "shape", [](const DeviceArray& a) { return nb::tuple(nb::cast(a.shape)); }, nb::sig("def shape(self) -> tuple[int, ...]"))
      .def(
          "__getitem__",
          [](const DeviceArray& a, int64_t i) {
            if (a.shape.empty() || i < 0 || i >= a.shape[0]) throw nb::index_error();
            return a[i];
          },
          nb::arg("index"))
      .def(
          "channels_last",
          [](DeviceArray a) {
            for (std::vector<int64_t>* sizes : {&a.shape, &a.strides}) std::rotate(sizes->begin() + 1, sizes->begin() + 2, sizes->end());
            return a;
          },
          "(n, c, h, w), seen as (n, h, w, c)");
}

void bind_parts(nb::module_& m) {
  nb::class_<MicroConditioning>(m, "MicroConditioning", "What SDXL is told about the training picture, pixels.")
      .def(nb::init<>())
      .def_rw("original_size", &MicroConditioning::original_size, "height, width; zeros: the picture's own")
      .def_rw("crop_top_left", &MicroConditioning::crop_top_left, "top, left")
      .def_rw("target_size", &MicroConditioning::target_size, "height, width; zeros: the picture's own");

  nb::class_<DeepCache>(m, "DeepCache", "How often a step computes only the outer layers of the UNet.")
      .def(nb::init<>())
      .def_rw("interval", &DeepCache::interval)
      .def_rw("branch", &DeepCache::branch)
      .def_rw("center", &DeepCache::center)
      .def_rw("power", &DeepCache::power);

  nb::class_<Hires>(m, "Hires", "A second pass over the enlarged picture of the first.")
      .def(nb::init<>())
      .def_rw("scale", &Hires::scale)
      .def_rw("upscaler", &Hires::upscaler)
      .def_rw("strength", &Hires::strength)
      .def_rw("steps", &Hires::steps);

  nb::class_<PromptEmbeds>(m, "PromptEmbeds", "What the text encoders make of a prompt.")
      .def(
          "__init__",
          [](PromptEmbeds* self, const DeviceArray& hidden, const DeviceArray* pooled) {
            new (self) PromptEmbeds{.tokens = int(hidden.shape.at(0)), .device_hidden = hidden, .device_pooled = pooled ? *pooled : DeviceArray{}};
          },
          nb::arg("hidden"), nb::arg("pooled").none(), "Of arrays: (tokens, width), and (pooled width) or none.")
      .def_ro("tokens", &PromptEmbeds::tokens)
      .def_prop_ro(
          "hidden",
          [](nb::pointer_and_handle<PromptEmbeds> self) {
            PromptEmbeds& e = *self.p;
            return floats_of(e.hidden, {size_t(e.tokens), e.hidden.size() / size_t(e.tokens)}, self.h);
          },
          "(tokens, width)")
      .def_prop_ro("pooled", [](nb::pointer_and_handle<PromptEmbeds> self) { return floats_of(self.p->pooled, {self.p->pooled.size()}, self.h); });
  nb::class_<EncodedPrompt>(m, "EncodedPrompt", "A prompt and, where there is guidance, its negative prompt.")
      .def_ro("prompt", &EncodedPrompt::prompt)
      .def_ro("negative", &EncodedPrompt::negative);
}

void bind_picture(nb::module_& m) {
  nb::class_<Picture>(m, "Picture", "What may differ between the pictures of one batch.")
      .def(nb::init<>())
      .def_rw("prompt", &Picture::prompt)
      .def_rw("prompt_2", &Picture::prompt_2)
      .def_rw("negative_prompt", &Picture::negative_prompt)
      .def_rw("negative_prompt_2", &Picture::negative_prompt_2)
      .def_rw("seed", &Picture::seed)
      .def_rw("guidance", &Picture::guidance)
      .def_rw("guidance_rescale", &Picture::guidance_rescale)
      .def_rw("mimic_guidance", &Picture::mimic_guidance)
      .def_rw("micro", &Picture::micro)
      .def_rw("negative_micro", &Picture::negative_micro)
      .def_rw("aesthetic_score", &Picture::aesthetic_score)
      .def_rw("negative_aesthetic_score", &Picture::negative_aesthetic_score)
      .def_rw("variation_seed", &Picture::variation_seed)
      .def_rw("variation_strength", &Picture::variation_strength)
      .def_rw("prompt_embeds", &Picture::prompt_embeds)
      .def_rw("negative_prompt_embeds", &Picture::negative_prompt_embeds);
}

}  // namespace

void bind_request(nb::module_& m) {
  bind_choices(m);
  bind_device_array(m);
  bind_parts(m);
  bind_picture(m);
  nb::class_<Request>(m, "Request", "One batch of pictures. include/hayate/hayate.h says what each field means.")
      .def(nb::init<>())
      .def_rw("pictures", &Request::pictures)
      .def_rw("width", &Request::width)
      .def_rw("height", &Request::height)
      .def_rw("steps", &Request::steps)
      .def_rw("prompt_syntax", &Request::prompt_syntax)
      .def_rw("clip_skip", &Request::clip_skip)
      .def_rw("handover", &Request::handover)
      .def_rw("scheduler", &Request::scheduler)
      .def_rw("spacing", &Request::spacing)
      .def_rw("eta", &Request::eta)
      .def_rw("s_noise", &Request::s_noise)
      .def_rw("s_churn", &Request::s_churn)
      .def_rw("s_tmin", &Request::s_tmin)
      .def_rw("s_tmax", &Request::s_tmax)
      .def_rw("guidance_interval", &Request::guidance_interval)
      .def_rw("deepcache", &Request::deepcache)
      .def_rw("noise", &Request::noise)
      .def_rw("shared_noise", &Request::shared_noise)
      .def_rw("strength", &Request::strength)
      .def_rw("fit", &Request::fit)
      .def_rw("mask_blur", &Request::mask_blur)
      .def_rw("mask_area", &Request::mask_area)
      .def_rw("hires", &Request::hires)
      .def_rw("seamless_x", &Request::seamless_x)
      .def_rw("seamless_y", &Request::seamless_y)
      .def_rw("decode", &Request::decode)
      .def("set_init_image", [](Request& r, const PixelsIn& pixels) { r.init_image = image_of(pixels); })
      .def("set_mask", [](Request& r, const PixelsIn& pixels) { r.mask = image_of(pixels); })
      .def_rw("latents", &Request::device_latents, "(pictures, height/8, width/8, 4)");
}

}  // namespace hayate::python
