// An array keeps its owner alive; what comes in is copied.
#include "arrays.h"

namespace nb = nanobind;

namespace hayate::python {

Pixels pixels_of(Image& image, nb::handle owner) { return Pixels(image.rgb.data(), {size_t(image.height), size_t(image.width), 3}, owner); }

Pixels pixels_of(Image image) {
  auto kept = std::make_unique<Image>(std::move(image));
  nb::capsule owner(kept.get(), [](void* p) noexcept { delete static_cast<Image*>(p); });
  return pixels_of(*kept.release(), owner);
}

Image image_of(const PixelsIn& pixels) {
  return {.width = int(pixels.shape(1)), .height = int(pixels.shape(0)), .rgb = std::vector<uint8_t>(pixels.data(), pixels.data() + pixels.size())};
}

Floats floats_of(std::vector<float>& numbers, std::vector<size_t> shape, nb::handle owner) {
  return Floats(numbers.data(), shape.size(), shape.data(), owner);
}

std::vector<float> vector_of(const FloatsIn& numbers) { return std::vector<float>(numbers.data(), numbers.data() + numbers.size()); }

}  // namespace hayate::python
