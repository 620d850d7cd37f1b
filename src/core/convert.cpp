// One loop per pair of types, simple enough for the compiler to vectorise.
#include "core/convert.h"

#include "core/error.h"
#include "core/float8.h"

namespace hayate {
namespace {

template <class Visit>
void with_type(Dtype dtype, Visit&& visit) {
  switch (dtype) {
    case Dtype::f32: return visit(float{});
    case Dtype::f16: return visit(f16{});
    case Dtype::bf16: return visit(bf16{});
    case Dtype::i32: case Dtype::i8: case Dtype::f8: break;
  }
  fail(ErrorKind::internal, "convert: {} is not a floating-point type", name_of(dtype));
}

}  // namespace

template <class From>
void convert_from(std::span<const std::byte> in, Dtype to, std::span<std::byte> out) {
  const int64_t count = int64_t(in.size() / sizeof(From));
  require(count * int64_t(sizeof(From)) == int64_t(in.size()) && count * size_of(to) == int64_t(out.size()), ErrorKind::internal,
          "convert: {} bytes in elements of {} do not fill {} bytes of {}", in.size(), sizeof(From), out.size(), name_of(to));
  with_type(to, [&]<class To>(To) {
    auto source = reinterpret_cast<const From*>(in.data());
    auto target = reinterpret_cast<To*>(out.data());
    for (int64_t i = 0; i < count; ++i) target[i] = from_float<To>(to_float(source[i]));
  });
}

template void convert_from<float>(std::span<const std::byte>, Dtype, std::span<std::byte>);
template void convert_from<f16>(std::span<const std::byte>, Dtype, std::span<std::byte>);
template void convert_from<bf16>(std::span<const std::byte>, Dtype, std::span<std::byte>);
template void convert_from<double>(std::span<const std::byte>, Dtype, std::span<std::byte>);
template void convert_from<f8_e4m3>(std::span<const std::byte>, Dtype, std::span<std::byte>);
template void convert_from<f8_e5m2>(std::span<const std::byte>, Dtype, std::span<std::byte>);

void convert(Dtype from, std::span<const std::byte> in, Dtype to, std::span<std::byte> out) {
  with_type(from, [&]<class From>(From) { convert_from<From>(in, to, out); });
}

}  // namespace hayate
