// An array keeps its owner alive; pictures that come in are copied, numbers are not.
#include "arrays.h"

namespace nb = nanobind;

namespace hayate::python {

namespace {
FloatType float_type_of(nb::dlpack::dtype t) {
  using Code = nb::dlpack::dtype_code;
  if (t.lanes == 1 && t.code == uint8_t(Code::Float) && t.bits == 32) return FloatType::f32;
  if (t.lanes == 1 && t.code == uint8_t(Code::Float) && t.bits == 16) return FloatType::f16;
  if (t.lanes == 1 && t.code == uint8_t(Code::Bfloat) && t.bits == 16) return FloatType::bf16;
  throw Error(ErrorKind::usage, "numbers of another type; expected float32, float16 or bfloat16");
}
}  // namespace

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

DeviceArray device_array_of(const NumbersIn& numbers) {
  const bool on_gpu = numbers.device_type() == nb::device::cuda::value;
  if (!on_gpu && numbers.device_type() != nb::device::cpu::value)
    throw Error(ErrorKind::usage, "numbers on a device of another kind; expected those of the host or of an NVIDIA GPU");
  auto kept = std::make_shared<NumbersIn>(numbers);
  DeviceArray array{.data = {kept, numbers.data()}, .type = float_type_of(numbers.dtype()), .gpu = on_gpu ? numbers.device_id() : -1};
  for (size_t i = 0; i < numbers.ndim(); ++i) {
    array.shape.push_back(int64_t(numbers.shape(i)));
    array.strides.push_back(numbers.stride(i));
  }
  return array;
}

Exported exported(const DeviceArray& array, const std::vector<size_t>& order) {
  if (array.shape.size() != order.size()) throw Error(ErrorKind::usage, "there is no array: the pictures were decoded");
  auto kept = std::make_unique<std::shared_ptr<const void>>(array.data);
  nb::capsule owner(kept.get(), [](void* p) noexcept { delete static_cast<std::shared_ptr<const void>*>(p); });
  void* data = const_cast<void*>(kept.release()->get());
  std::vector<size_t> shape;
  std::vector<int64_t> strides;
  for (size_t i : order) shape.push_back(size_t(array.shape[i])), strides.push_back(array.strides[i]);
  const bool on_gpu = array.gpu >= 0;
  return Exported(data, shape.size(), shape.data(), owner, strides.data(), nb::dtype<float>(),
                  on_gpu ? nb::device::cuda::value : nb::device::cpu::value, on_gpu ? array.gpu : 0);
}

}  // namespace hayate::python
