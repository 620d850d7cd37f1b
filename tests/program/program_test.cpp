// Names, shapes, rates, rewriting, printing.
#include "program/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "hayate/error.h"
#include "program/builder.h"
#include "program/cut_at.h"
#include "program/streamed_values.h"

namespace hayate {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// input -> two linears -> add
Program small() {
  Program p;
  Builder b(p);
  Value x = b.input("x", {2, 4, 4, 8}, Rate::step);
  Value text = b.input("text", {2, 1, 3, 8}, Rate::prompt);
  auto s = b.scope("block");
  Value y = b.linear("a", x, 16);
  Value unused = b.linear("unused", x, 4);
  (void)unused;
  p.outputs = {b.add("sum", y, b.linear("b", x, 16)), b.linear("text_key", text, 8)};
  return p;
}

TEST(Program, NamesAreUnique) {
  Program p;
  p.add({.op = Op::input, .shape = {1, 1, 1, 4}, .rate = Rate::step, .name = "x"});
  EXPECT_THAT([&] { p.add({.op = Op::input, .shape = {1, 1, 1, 4}, .rate = Rate::step, .name = "x"}); }, ThrowsMessage<Error>(HasSubstr("x")));
  EXPECT_THROW(p.add({.op = Op::input, .shape = {1, 1, 1, 4}, .rate = Rate::step, .name = ""}), Error);
}

TEST(Program, BuilderNumbersRepeatedNames) {
  Program p;
  Builder b(p);
  Value x = b.input("x", {1, 1, 1, 4}, Rate::step);
  auto s = b.scope("resnets.0");
  b.activation("nonlinearity", x, Activation::silu);
  b.activation("nonlinearity", x, Activation::silu);
  EXPECT_NE(p.find("resnets.0.nonlinearity"), none);
  EXPECT_NE(p.find("resnets.0.nonlinearity#1"), none);
}

TEST(Program, ShapesAreCheckedAndErrorsNameTheValue) {
  Program p;
  Builder b(p);
  Value x = b.input("x", {1, 2, 2, 8}, Rate::step), y = b.input("y", {1, 2, 2, 6}, Rate::step);
  EXPECT_THAT([&] { b.add("bad_sum", x, y); }, ThrowsMessage<Error>(HasSubstr("bad_sum")));
  EXPECT_THROW(b.group_norm("norm", y, 4, 1e-5f), Error);
  EXPECT_THROW(b.group_statistics("statistics", y, 4), Error);
  EXPECT_THROW(b.group_statistics("statistics", x, 4, y), Error);
  EXPECT_EQ(b.shape(b.group_statistics("statistics", x, 4)), (Shape{1, 1, 4, 2}));
  Node given = p[b.group_norm("whole", x, 4, 1e-5f)];
  given.name = "given", given.in.push_back(y);
  EXPECT_THAT([&] { p.add(given); }, ThrowsMessage<Error>(HasSubstr("given")));
  EXPECT_THROW(b.slice("slice", x, 4, 8), Error);
  EXPECT_THROW(b.attention(x, y, y, 2, 1), Error);
  EXPECT_EQ(b.shape(b.conv2d("conv", x, 3, 3, 2)), (Shape{1, 1, 1, 3}));
  EXPECT_EQ(b.shape(b.upsample_nearest("up", x, 5, 3)), (Shape{1, 5, 3, 8}));
}

TEST(Program, RateIsTheHighestOfTheInputs) {
  Program p = small();
  EXPECT_EQ(p[p.find("block.a.weight")].rate, Rate::load);
  EXPECT_EQ(p[p.find("block.text_key")].rate, Rate::prompt);
  EXPECT_EQ(p[p.find("block.sum")].rate, Rate::step);
}

TEST(Program, RewriteDropsWhatIsNoLongerRead) {
  Program p = small();
  Program q = rewrite(p, [](Program& out, Value, Node n) { return out.add(std::move(n)); });
  EXPECT_NE(p.find("block.unused"), none);
  EXPECT_EQ(q.find("block.unused"), none);
  EXPECT_EQ(q.find("block.unused.weight"), none);
  EXPECT_NE(q.find("block.sum"), none);
  EXPECT_EQ(q[q.outputs[0]].name, "block.sum");
  verify(q);
}

TEST(Program, RewriteReplacesValuesEverywhere) {
  Program p = small();
  Program q = rewrite(p, [](Program& out, Value, Node n) {
    if (n.name == "block.b") return n.in[0] == none ? none : out.find("block.a");
    return out.add(std::move(n));
  });
  const Node& sum = q[q.find("block.sum")];
  EXPECT_EQ(sum.in[0], sum.in[1]);
}

TEST(Program, CarriesSurviveRewriting) {
  Program p;
  Builder b(p);
  Value x = b.input("x", {1, 1, 1, 4}, Rate::step);
  Value y = b.affine("y", x, 2, 0);
  p.outputs = {y};
  p.carries = {{y, x}};
  Program q = rewrite(p, [](Program& out, Value, Node n) { return out.add(std::move(n)); });
  ASSERT_EQ(q.carries.size(), 1u);
  EXPECT_EQ(q[q.carries[0].from].name, "y");
  EXPECT_EQ(q[q.carries[0].to].name, "x");
  verify(q);
}

TEST(Program, VerifyFindsMixedTypes) {
  Program p;
  Value x = p.add({.op = Op::input, .shape = {1, 1, 1, 4}, .dtype = Dtype::f32, .rate = Rate::step, .name = "x"});
  p.add({.op = Op::silu, .in = {x}, .dtype = Dtype::bf16, .name = "y"});
  EXPECT_THAT([&] { verify(p); }, ThrowsMessage<Error>(HasSubstr("y")));
}

TEST(Program, VerifyFindsARegionThatIsNotOfIntegers) {
  Program p;
  Builder b(p);
  b.group_statistics("y", b.input("x", {1, 2, 2, 4}, Rate::step), 2, b.input("region", {1, 1, 1, 4}, Rate::step));
  EXPECT_THAT([&] { verify(p); }, ThrowsMessage<Error>(HasSubstr("region")));
}

TEST(Program, VerifyAsksTheTarget) {
  struct NoLinear : Target {
    bool supports(const Program&, const Node& n) const override { return n.op != Op::linear; }
    bool packs(const Program&, const Node&) const override { return false; }
  } target;
  EXPECT_THAT([&] { verify(small(), &target); }, ThrowsMessage<Error>(HasSubstr("block.a")));
}

TEST(Program, PrintIsOneLinePerOp) {
  std::string text = print(small());
  EXPECT_THAT(text, HasSubstr("linear f32 (2, 4, 4, 16) step block.a <- %0"));
  EXPECT_THAT(text, HasSubstr("output"));
}

// b reads two large values, of which the smaller stays, though c could do without it.
TEST(Program, LargeLoadValuesAreStreamedOneForEachOp) {
  Program p;
  auto weight = [&](const char* name, int64_t rows, int64_t columns) { return p.add({.op = Op::weight, .shape = {1, 1, rows, columns}, .name = name}); };
  auto input = [&](const char* name, int64_t columns) { return p.add({.op = Op::input, .shape = {1, 1, 4, columns}, .rate = Rate::step, .name = name}); };
  auto linear = [&](const char* name, Value x, Value w, Value residual = none) {
    return p.add({.op = Op::linear, .in = {x, w, none, residual}, .name = name, .attr = LinearAttr{}});
  };
  const Value x = input("x", 512), narrow = input("narrow", 2);
  const Value large = weight("large", 8192, 2), larger = weight("larger", 4, 8192), small = weight("small", 31, 512), alone = weight("alone", 32, 512);
  p.outputs = {linear("b", narrow, large, larger), linear("c", narrow, large), linear("d", x, small), linear("e", x, alone), linear("f", x, alone)};
  const std::vector<bool> streamed = streamed_values(p);
  EXPECT_FALSE(streamed[size_t(large)]);
  EXPECT_TRUE(streamed[size_t(larger)]);
  EXPECT_FALSE(streamed[size_t(small)]);
  EXPECT_TRUE(streamed[size_t(alone)]);
  EXPECT_EQ(std::ranges::count(streamed, true), 2);
}

TEST(Program, RootOfFollowsSlices) {
  Program p;
  Builder b(p);
  Value x = b.input("x", {1, 1, 2, 16}, Rate::step);
  Value inner = b.slice("inner", b.slice("outer", x, 4, 8), 2, 3);
  EXPECT_EQ(root_of(p, inner).value, x);
  EXPECT_EQ(root_of(p, inner).column, 6);
}

TEST(Program, CutReadsAValueInsteadOfComputingIt) {
  Program p;
  Builder b(p);
  const Value x = b.input("x", {1, 1, 1, 4}, Rate::step), deep = b.linear("deep", b.linear("deeper", x, 8), 4);
  p.outputs = {b.add("y", b.linear("outer", x, 4), deep)};
  const Value kept = b.input("kept", {1, 1, 1, 4}, Rate::step);
  p.carries = {{deep, kept}, {p.outputs[0], x}};
  const Program cut = cut_at(p, deep, kept);
  verify(cut);
  for (const char* gone : {"deep", "deep.weight", "deeper", "deeper.bias"}) EXPECT_EQ(cut.find(gone), none) << gone;
  EXPECT_EQ(cut[cut.outputs[0]].in[1], cut.find("kept"));
  ASSERT_EQ(cut.carries.size(), 1u);
  EXPECT_EQ(cut.carries[0].to, cut.find("x"));
  EXPECT_THROW(cut_at(p, p.find("deeper"), kept), Error);  // of another shape
}

}  // namespace
}  // namespace hayate
