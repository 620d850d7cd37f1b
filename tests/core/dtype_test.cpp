// Conversions of single elements and of arrays.
#include "core/dtype.h"

#include <random>
#include <vector>

#include "core/convert.h"
#include "core/expect_error.h"
#include "core/float8.h"

namespace hayate {
namespace {

TEST(Dtype, every_half_goes_through_float_and_back) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    f16 half{uint16_t(bits)};
    bf16 brain{uint16_t(bits)};
    if (std::isnan(to_float(half)))
      EXPECT_TRUE(std::isnan(to_float(from_float<f16>(to_float(half)))));
    else
      ASSERT_EQ(from_float<f16>(to_float(half)).bits, bits);
    if (std::isnan(to_float(brain)))
      EXPECT_TRUE(std::isnan(to_float(from_float<bf16>(to_float(brain)))));
    else
      ASSERT_EQ(from_float<bf16>(to_float(brain)).bits, bits);
  }
}

TEST(Dtype, half_values) {
  for (auto [bits, value] : {std::pair{0x3c00, 1.0f},
                             {0xc000, -2.0f},
                             {0x7bff, 65504.0f},
                             {0x0400, 0x1p-14f},
                             {0x0001, 0x1p-24f},
                             {0x03ff, 1023 * 0x1p-24f},
                             {0x7c00, HUGE_VALF},
                             {0x3555, 0x1.554p-2f}})
    EXPECT_EQ(to_float(f16{uint16_t(bits)}), value) << bits;
  EXPECT_TRUE(std::signbit(to_float(f16{0x8000})));
}

// The nearest half by search among its neighbours, ties to the even one.
template <class Half>
uint16_t nearest(float x) {
  uint16_t best = 0;
  double best_distance = HUGE_VAL;
  for (uint32_t bits = 0; bits < 0x8000; ++bits) {
    double value = to_float(Half{uint16_t(bits)});
    if (std::isnan(value)) break;
    if (std::isinf(value)) value = 2.0 * to_float(Half{uint16_t(bits - 1)}) - to_float(Half{uint16_t(bits - 2)});  // where the next step would be
    double distance = std::abs(value - std::abs(double(x)));
    if (distance < best_distance || (distance == best_distance && bits % 2 == 0)) best = uint16_t(bits), best_distance = distance;
  }
  return best | (std::signbit(x) ? 0x8000 : 0);
}

TEST(Dtype, rounds_to_nearest_even) {
  std::vector<float> cases = {0.0f,  -0.0f,    1.0f,     0x1.002p0f, 0x1.006p0f, 0x1.00201p0f, 65504.0f,     65519.9f,  65520.0f,  65536.0f,
                              1e30f, 0x1p-24f, 0x1p-25f, 0x1.8p-25f, 0x1p-26f,   0x1.ffcp-15f, 0x1.ffep-15f, 0x1.01p0f, 0x1.03p0f, 3e38f};
  std::mt19937 random(1);
  for (int i = 0; i < 20; ++i) cases.push_back(std::ldexp(float(random()), int(random() % 50) - 60));
  for (float x : cases)
    for (float signed_x : {x, -x}) {
      EXPECT_EQ(from_float<f16>(signed_x).bits, nearest<f16>(signed_x)) << signed_x;
      EXPECT_EQ(from_float<bf16>(signed_x).bits, nearest<bf16>(signed_x)) << signed_x;
    }
  for (float x : {HUGE_VALF, -HUGE_VALF}) {
    EXPECT_EQ(to_float(from_float<f16>(x)), x);
    EXPECT_EQ(to_float(from_float<bf16>(x)), x);
  }
}

TEST(Dtype, nan_stays_nan) {
  for (uint32_t bits : {0x7fc00000u, 0x7f800001u, 0xffffffffu, 0x7fffffffu, 0xff800001u}) {
    float nan = std::bit_cast<float>(bits);
    EXPECT_TRUE(std::isnan(to_float(from_float<f16>(nan)))) << bits;
    EXPECT_TRUE(std::isnan(to_float(from_float<bf16>(nan)))) << bits;
  }
}

// Every E4M3 value from the definition of the format: 4 bits of exponent with bias 7, no infinities.
TEST(Dtype, every_float8) {
  for (int bits = 0; bits < 256; ++bits) {
    const int exponent = bits >> 3 & 15, mantissa = bits & 7;
    const float e4m3 = to_float(f8_e4m3{uint8_t(bits)}), e5m2 = to_float(f8_e5m2{uint8_t(bits)});
    if ((bits & 127) == 127)
      EXPECT_TRUE(std::isnan(e4m3)) << bits;
    else
      EXPECT_EQ(e4m3, (bits & 128 ? -1 : 1) * std::ldexp(exponent ? 1 + mantissa / 8.0 : mantissa / 8.0, std::max(exponent, 1) - 7)) << bits;
    EXPECT_EQ(std::signbit(e4m3), bits >= 128) << bits;

    const int exponent5 = bits >> 2 & 31, mantissa5 = bits & 3;
    if (exponent5 == 31)
      EXPECT_EQ(std::isnan(e5m2), mantissa5 != 0) << bits;
    else
      EXPECT_EQ(e5m2, (bits & 128 ? -1 : 1) * std::ldexp(exponent5 ? 1 + mantissa5 / 4.0 : mantissa5 / 4.0, std::max(exponent5, 1) - 15)) << bits;
    if (std::isnan(e4m3)) continue;
    EXPECT_EQ(to_float(from_float<f16>(e4m3)), e4m3) << "float16 holds it: " << bits;
  }
  EXPECT_EQ(to_float(f8_e4m3{0x7e}), 448);  // the largest
  EXPECT_EQ(to_float(f8_e5m2{0x7b}), 57344);
  EXPECT_EQ(to_float(f8_e5m2{0xfc}), -HUGE_VALF);
}

TEST(Convert, arrays_equal_elements) {
  std::vector<float> floats(1003);
  for (size_t i = 0; i < floats.size(); ++i) floats[i] = std::sin(float(i)) * std::ldexp(1.0f, int(i % 40) - 25);
  std::vector<f16> halves(floats.size());
  std::vector<bf16> brains(floats.size());
  convert(Dtype::f32, std::as_bytes(std::span(floats)), Dtype::f16, std::as_writable_bytes(std::span(halves)));
  convert(Dtype::f16, std::as_bytes(std::span(halves)), Dtype::bf16, std::as_writable_bytes(std::span(brains)));
  for (size_t i = 0; i < floats.size(); ++i) {
    ASSERT_EQ(halves[i].bits, from_float<f16>(floats[i]).bits) << floats[i];
    ASSERT_EQ(brains[i].bits, from_float<bf16>(to_float(halves[i])).bits) << floats[i];
  }
}

TEST(Convert, sizes_and_types_are_checked) {
  std::vector<float> in(4), out(3);
  expect_error(ErrorKind::internal, {"16", "12"},
               [&] { convert(Dtype::f32, std::as_bytes(std::span(in)), Dtype::f32, std::as_writable_bytes(std::span(out))); });
  expect_error(ErrorKind::internal, {"i32"},
               [&] { convert(Dtype::i32, std::as_bytes(std::span(in)), Dtype::f32, std::as_writable_bytes(std::span(in))); });
}

}  // namespace
}  // namespace hayate
