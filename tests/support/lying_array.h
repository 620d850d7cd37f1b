// Numbers laid into memory as one of DLPack's arrays may have them: in any type, dimensions stored in any order, forwards or backwards.
#pragma once
#include <algorithm>
#include <memory>
#include <numeric>
#include <vector>

#include "hayate/device_array.h"
#include "support/random_weights.h"

namespace hayate::testing {

constexpr Dtype stored_as(FloatType t) { return t == FloatType::f32 ? Dtype::f32 : t == FloatType::f16 ? Dtype::f16 : Dtype::bf16; }

// `order`: the dimensions as they are stored, the outermost first; those in `backwards` from their end.
struct Lie {
  FloatType type = FloatType::f32;
  std::vector<size_t> order{};
  std::vector<size_t> backwards{};
};

struct Laid {
  std::shared_ptr<std::vector<std::byte>> memory;
  DeviceArray array;
};

inline Laid laid(const std::vector<float>& numbers, const std::vector<int64_t>& shape, Lie lie) {
  if (lie.order.empty()) lie.order.resize(shape.size()), std::iota(lie.order.begin(), lie.order.end(), size_t{0});
  std::vector<int64_t> strides(shape.size());
  int64_t step = 1, begin = 0;
  for (size_t k = shape.size(); k-- > 0; step *= shape[lie.order[k]]) strides[lie.order[k]] = step;
  for (size_t d : lie.backwards) begin += (shape[d] - 1) * strides[d], strides[d] = -strides[d];
  std::vector<float> stored(numbers.size());
  for (size_t i = 0; i < numbers.size(); ++i) {
    int64_t rest = int64_t(i), at = begin;
    for (size_t d = shape.size(); d-- > 0; rest /= shape[d]) at += rest % shape[d] * strides[d];
    stored[size_t(at)] = numbers[i];
  }
  auto memory = std::make_shared<std::vector<std::byte>>(as_dtype(stored, stored_as(lie.type)));
  const std::byte* first = memory->data() + begin * size_of(stored_as(lie.type));
  return {memory, {.data = {memory, first}, .type = lie.type, .shape = shape, .strides = strides}};
}

// As a type of 16 bits has them.
inline std::vector<float> rounded_to(FloatType type, const std::vector<float>& numbers) {
  if (type == FloatType::f32) return numbers;
  std::vector<float> rounded(numbers.size());
  convert(stored_as(type), as_dtype(numbers, stored_as(type)), Dtype::f32, std::as_writable_bytes(std::span(rounded)));
  return rounded;
}

}  // namespace hayate::testing
