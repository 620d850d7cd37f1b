// What the CPU says that ops take: measured, and the same each time.
#include <gtest/gtest.h>

#include <cmath>

#include "backend/candidates.h"

namespace hayate::testing {
namespace {

TEST(MeasuredOps, AreRememberedAndGrowWithRows) {
  auto backend = make_cpu_backend();
  for (Dtype t : {Dtype::f32, Dtype::bf16}) {
    Program p;
    auto add = [&](Op op, std::vector<Value> in, Shape s, Dtype dtype, const std::string& name, Attributes attr = {}) {
      return p.add({.op = op, .in = std::move(in), .shape = s, .dtype = dtype, .rate = Rate::step, .name = name, .attr = std::move(attr)});
    };
    const Value w = add(Op::weight, {}, {1, 1, 96, 64}, t, "w"), b = add(Op::weight, {}, {1, 1, 1, 96}, Dtype::f32, "b");
    const Value q = add(Op::quantize, {w}, {}, Dtype::i8, "w.i8", QuantizeAttr{});
    auto seconds_of = [&](Shape s) {
      const std::string name = to_string(s);
      const Value x = add(Op::input, {}, s, t, name), narrow = add(Op::quantize, {x}, {}, Dtype::i8, name + ".i8", QuantizeAttr{});
      auto linear = [&](Value from, Value weight) {
        return Node{.op = Op::linear, .in = {from, weight, b, none}, .dtype = t, .rate = Rate::step, .name = "y", .attr = LinearAttr{Activation::gelu}};
      };
      return std::vector<double>{backend->seconds(p, p[narrow]), backend->seconds(p, linear(x, w)), backend->seconds(p, linear(narrow, q))};
    };
    const std::vector<double> once = seconds_of({2, 16, 16, 64}), again = seconds_of({1, 16, 32, 64}), twice = seconds_of({2, 16, 32, 64});
    for (size_t i = 0; i < once.size(); ++i) {
      EXPECT_TRUE(std::isfinite(once[i]) && once[i] > 0);
      EXPECT_EQ(again[i], once[i]);
      EXPECT_EQ(twice[i], 2 * once[i]);
    }
  }
}

}  // namespace
}  // namespace hayate::testing
