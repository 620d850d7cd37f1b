// One loop for each type.
#include "backend/take_floats.h"

#include "core/error.h"

namespace hayate {

namespace {
template <class T>
bool take(float* to, int64_t width, const T* from, const FourDimensions& d, float factor) {
  bool finite = true;
  for (int64_t i = 0; i < d.shape[0]; ++i)
    for (int64_t j = 0; j < d.shape[1]; ++j)
      for (int64_t k = 0; k < d.shape[2]; ++k, to += width)
        for (int64_t c = 0; c < d.shape[3]; ++c) {
          const float x = to_float(from[i * d.strides[0] + j * d.strides[1] + k * d.strides[2] + c * d.strides[3]]);
          finite = finite && std::isfinite(x);
          to[c] = x * factor;
        }
  return finite;
}
}  // namespace

FourDimensions four_dimensions(const DeviceArray& a, int64_t width, int64_t room) {
  FourDimensions d{.shape = {1, 1, 1, 1}, .strides = {}};
  const size_t own = a.shape.size();
  require(a.data && own >= 1 && own <= 4 && a.strides.size() == own, ErrorKind::internal, "an array of {} dimensions and {} strides", own,
          a.strides.size());
  for (size_t i = 0; i < own; ++i) {
    require(a.shape[i] > 0, ErrorKind::internal, "an array of {} numbers along dimension {}", a.shape[i], i);
    d.shape[4 - own + i] = a.shape[i], d.strides[4 - own + i] = a.strides[i];
  }
  const int64_t rows = d.count() / d.shape[3];
  require(d.shape[3] <= width && rows * width <= room, ErrorKind::internal, "an array of {} rows of {} numbers into rows of {}, {} numbers in all",
          rows, d.shape[3], width, room);
  return d;
}

bool take_floats(std::span<float> to, int64_t width, const DeviceArray& from, float factor) {
  const FourDimensions d = four_dimensions(from, width, int64_t(to.size()));
  switch (from.type) {
    case FloatType::f32: return take(to.data(), width, static_cast<const float*>(from.data.get()), d, factor);
    case FloatType::f16: return take(to.data(), width, static_cast<const f16*>(from.data.get()), d, factor);
    case FloatType::bf16: return take(to.data(), width, static_cast<const bf16*>(from.data.get()), d, factor);
  }
  fail(ErrorKind::internal, "there is no type {} of floats", int(from.type));
}

}  // namespace hayate
