// Load values are made once, shared between programs, and refused when they do not fit.
#include "weights/prepared_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <cstring>
#include <map>
#include <mutex>
#include <numeric>

#include "hayate/error.h"
#include "program/builder.h"

namespace hayate {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Tensors that hold 0, 1, 2, ... and count how often they are read.
class CountingSource : public TensorSource {
 public:
  explicit CountingSource(std::map<std::string, std::vector<int64_t>> tensors) : tensors_(std::move(tensors)) {}
  std::vector<std::string> names() const override { return {}; }
  bool has(const std::string& name) const override { return tensors_.contains(name); }
  std::vector<int64_t> dims(const std::string& name) const override { return tensors_.at(name); }
  Dtype dtype(const std::string&) const override { return Dtype::f32; }
  void read(const std::string& name, Dtype as, std::span<std::byte> out, int64_t first) const override {
    ASSERT_EQ(as, Dtype::f32);
    std::vector<float> values(out.size() / 4);
    std::iota(values.begin(), values.end(), float(first));
    std::memcpy(out.data(), values.data(), out.size());
    std::lock_guard lock(mutex_);
    if (first == 0) ++reads[name];
  }
  mutable std::map<std::string, int> reads;  // from their start

 private:
  std::map<std::string, std::vector<int64_t>> tensors_;
  mutable std::mutex mutex_;
};

Program two_linears(int64_t rows) {
  Program p;
  Builder b(p);
  Value x = b.input("x", {1, 1, rows, 3}, Rate::step);
  p.outputs = {b.add("y", b.linear("a", x, 2), b.linear("b", x, 2))};
  return p;
}

std::shared_ptr<CountingSource> source() {
  return std::make_shared<CountingSource>(std::map<std::string, std::vector<int64_t>>{
      {"a.weight", {2, 3}}, {"a.bias", {2}}, {"b.weight", {2, 3, 1, 1}}, {"b.bias", {2}}, {"conv.weight", {2, 3, 2, 2}}, {"conv.bias", {2}}});
}

TEST(PreparedWeights, ProgramsOfOtherShapesShareThem) {
  auto backend = make_reference_backend();
  auto tensors = source();
  PreparedWeights weights(backend, tensors, "test");
  Program small = two_linears(4), large = two_linears(400);
  backend->compile(small, weights);
  backend->compile(large, weights);
  EXPECT_EQ(tensors->reads["a.weight"], 1);
  EXPECT_EQ(weights.get(small, small.find("a.weight")).get(), weights.get(large, large.find("a.weight")).get());
  EXPECT_EQ(weights.bytes(), 4 * (6 + 2 + 6 + 2));
}

// Sums of many taps: what is rounded to bfloat16 first would give others.
TEST(PreparedWeights, FoldedTapsAreSummedBeforeTheyAreRounded) {
  auto backend = make_reference_backend();
  auto tensors = std::make_shared<CountingSource>(std::map<std::string, std::vector<int64_t>>{{"w", {20, 11, 3, 3}}});
  PreparedWeights weights(backend, tensors, "test");
  Program p;
  const Value w = p.add({.op = Op::weight, .shape = {20, 3, 3, 11}, .name = "w"});
  const Value exact = p.add({.op = Op::fold_nearest, .in = {w}, .name = "exact"});
  Program q;
  const Value narrow = q.add({.op = Op::fold_nearest, .in = {q.add({.op = Op::weight, .shape = {20, 3, 3, 11}, .dtype = Dtype::bf16, .name = "w"})},
                              .dtype = Dtype::bf16, .name = "narrow"});
  const Buffer floats = weights.get(p, exact), halves = weights.get(q, narrow), whole = backend->evaluate(p, p[exact], std::vector{weights.get(p, w)});
  EXPECT_EQ(std::memcmp(floats.get(), whole.get(), size_t(byte_size(p[exact]))), 0);
  const float* sums = reinterpret_cast<const float*>(floats.get());
  const bf16* rounded = reinterpret_cast<const bf16*>(halves.get());
  for (int64_t i = 0; i < p[exact].shape.count(); ++i) EXPECT_EQ(to_float(rounded[i]), to_float(from_float<bf16>(sums[i]))) << i;
  // Filter 7, channel 5 of pixels (2 i + 1, 2 j): columns 1 and 2 of lines 0 and 1 meet on line 0, column 1.
  auto tap = [](int i, int j) { return float((7 * 11 + 5) * 9 + i * 3 + j); };
  EXPECT_EQ(sums[(((2 * 20 + 7) * 2 + 0) * 2 + 1) * 11 + 5], tap(0, 1) + tap(0, 2) + tap(1, 1) + tap(1, 2));
}

TEST(PreparedWeights, StackedPartsAreNotKeptAndNotConfused) {
  auto backend = make_reference_backend();
  PreparedWeights weights(backend, source(), "test");
  Program p;
  Value a = p.add({.op = Op::weight, .shape = {1, 1, 2, 3}, .name = "a.weight"}),
        b = p.add({.op = Op::weight, .shape = {1, 1, 2, 3}, .name = "b.weight"});
  Value ab = p.add({.op = Op::stack, .in = {a, b}, .name = "ab"}), aa = p.add({.op = Op::stack, .in = {a, a}, .name = "aa"});
  Buffer both = weights.get(p, ab);
  EXPECT_NE(both.get(), weights.get(p, aa).get());
  EXPECT_EQ(weights.bytes(), 2 * 4 * 12);
  std::vector<float> values(12);
  backend->download(std::as_writable_bytes(std::span(values)), both);
  EXPECT_THAT(values, ::testing::ElementsAre(0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5));
}

TEST(PreparedWeights, ConvolutionWeightsBecomeChannelsLast) {
  auto backend = make_reference_backend();
  PreparedWeights weights(backend, source(), "test");
  Program p;
  Value w = p.add({.op = Op::weight, .shape = {2, 2, 2, 3}, .name = "conv.weight"});  // (out, kh, kw, in) from (out, in, kh, kw)
  std::vector<float> values(24);
  backend->download(std::as_writable_bytes(std::span(values)), weights.get(p, w));
  EXPECT_THAT(std::vector(values.begin(), values.begin() + 12), ::testing::ElementsAre(0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11));
}

// Larger than what one thread reads at once, so that pieces have to meet.
TEST(PreparedWeights, LargeTensorsArriveWhole) {
  auto backend = make_reference_backend();
  const int64_t out = 300, in = 64, area = 9;
  auto tensors = std::make_shared<CountingSource>(std::map<std::string, std::vector<int64_t>>{{"conv", {out, in, 3, 3}}, {"matrix", {700, 300}}});
  PreparedWeights weights(backend, tensors, "test");
  Program p;
  Builder b(p);
  Value conv = p.add({.op = Op::weight, .shape = {out, 3, 3, in}, .name = "conv"});
  Value matrix = p.add({.op = Op::weight, .shape = {1, 1, 700, 300}, .name = "matrix"});
  Value stacked = p.add({.op = Op::stack, .in = {matrix, matrix}, .name = "stacked"});
  std::vector<float> turned(size_t(out * in * area)), twice(2 * 700 * 300);
  backend->download(std::as_writable_bytes(std::span(turned)), weights.get(p, conv));
  backend->download(std::as_writable_bytes(std::span(twice)), weights.get(p, stacked));
  for (int64_t i = 0; i < out * in * area; ++i) ASSERT_EQ(turned[size_t(i)], float(i / (in * area) * in * area + i % in * area + i / in % area)) << i;
  for (int64_t i = 0; i < 2 * 700 * 300; ++i) ASSERT_EQ(twice[size_t(i)], float(i % (700 * 300))) << i;
}

// What the host computes while it reads is what the ops say, in pieces and in stacks too; and a value made of a kept one does not read again.
TEST(PreparedWeights, ScaledColumnsAndDotsAreMadeWhileReading) {
  auto backend = make_reference_backend();
  const int64_t out = 700, in = 300;
  auto tensors = std::make_shared<CountingSource>(std::map<std::string, std::vector<int64_t>>{{"w", {out, in}}, {"v", {in}}, {"b", {out}}});
  PreparedWeights weights(backend, tensors, "test");
  Program p;
  Builder b(p);
  Value w = p.add({.op = Op::weight, .shape = {1, 1, out, in}, .name = "w"}), v = p.add({.op = Op::weight, .shape = {1, 1, 1, in}, .name = "v"});
  Value bias = p.add({.op = Op::weight, .shape = {1, 1, 1, out}, .name = "b"});
  Value scaled = p.add({.op = Op::scale_columns, .in = {w, v}, .name = "scaled"});
  Value dots = p.add({.op = Op::row_dots, .in = {w, v, bias}, .name = "dots"});
  Value sums = p.add({.op = Op::row_sums, .in = {scaled}, .name = "sums"});
  Value stacked = p.add({.op = Op::stack, .in = {scaled, w}, .name = "stacked"});
  Value x = b.input("x", {1, 1, 2, in}, Rate::step);
  p.outputs = {p.add({.op = Op::linear, .in = {x, scaled, dots, none, sums}, .name = "y", .attr = LinearAttr{Activation::none, 1e-5f}})};
  weights.prepare(p);
  EXPECT_EQ(tensors->reads["w"], 2);  // for `scaled` and for `dots`

  auto values = [&](Value of) {
    std::vector<float> all(size_t(p[of].shape.count()));
    backend->download(std::as_writable_bytes(std::span(all)), weights.get(p, of));
    return all;
  };
  const std::vector<float> s = values(scaled), d = values(dots), r = values(sums), both = values(stacked);
  for (int64_t row = 0; row < out; ++row) {
    double dot = double(row), sum = 0;
    for (int64_t c = 0; c < in; ++c) {
      const float expected = float(row * in + c) * float(c);
      ASSERT_EQ(s[size_t(row * in + c)], expected);
      ASSERT_EQ(both[size_t(row * in + c)], expected);
      ASSERT_EQ(both[size_t((out + row) * in + c)], float(row * in + c));
      dot += double(row * in + c) * double(c), sum += expected;
    }
    ASSERT_NEAR(d[size_t(row)] / dot, 1, 1e-5);
    ASSERT_NEAR(r[size_t(row)] / sum, 1, 1e-5);
  }
}

TEST(PreparedWeights, PreparedAtOnceOrOneByOne) {
  auto backend = make_reference_backend();
  auto tensors = source();
  PreparedWeights weights(backend, tensors, "test"), single(backend, source(), "test");
  Program p = two_linears(4);
  weights.prepare(p);
  EXPECT_EQ(weights.bytes(), 4 * (6 + 2 + 6 + 2));
  for (const char* name : {"a.weight", "a.bias", "b.weight", "b.bias"}) {
    Buffer a = weights.get(p, p.find(name)), b = single.get(p, p.find(name));
    EXPECT_EQ(std::memcmp(a.get(), b.get(), size_t(b.bytes)), 0) << name;
    EXPECT_EQ(tensors->reads[name], 1) << name;
  }
}

// One tensor has one value that is not finite, at its end.
class FaultySource : public CountingSource {
 public:
  FaultySource(std::map<std::string, std::vector<int64_t>> tensors, std::string name, float value)
      : CountingSource(std::move(tensors)), name_(std::move(name)), value_(value) {}
  void read(const std::string& name, Dtype as, std::span<std::byte> out, int64_t first) const override {
    CountingSource::read(name, as, out, first);
    if (name == name_) std::memcpy(&out[out.size() - sizeof value_], &value_, sizeof value_);
  }

 private:
  std::string name_;
  float value_;
};

TEST(PreparedWeights, StreamedOnesAreReadForEveryRunAndTakeNoMemoryBetween) {
  auto backend = make_reference_backend();
  auto tensors = std::make_shared<CountingSource>(std::map<std::string, std::vector<int64_t>>{
      {"a.weight", {512, 700}}, {"a.bias", {512}}, {"b.weight", {700, 512}}, {"b.bias", {700}}});
  Program p;
  Builder b(p);
  const Value x = b.input("x", {1, 1, 2, 700}, Rate::step);
  p.outputs = {b.linear("b", b.linear("a", x, 512), 700)};
  PreparedWeights kept(backend, tensors, "test"), streamed(backend, tensors, "test", /*streams=*/true);
  std::unordered_set<std::string> counted;
  EXPECT_EQ(streamed.need(p, counted).bytes, 4 * (512 + 700));
  kept.prepare(p), streamed.prepare(p);
  EXPECT_EQ(streamed.bytes(), 4 * (512 + 700));
  EXPECT_EQ(tensors->reads["a.weight"], 1);
  auto run = [&](PreparedWeights& weights, bool streams) {
    auto e = backend->compile(p, weights, {.stream_weights = streams});
    std::vector<std::vector<float>> results(2, std::vector<float>(1400));
    for (std::vector<float>& result : results) {
      std::vector<float> values(1400);
      for (size_t i = 0; i < values.size(); ++i) values[i] = float(i % 13) - 5;
      e->write("x", std::as_bytes(std::span(values)));
      e->run(Rate::step);
      e->read("b", std::as_writable_bytes(std::span(result)));
    }
    EXPECT_EQ(results[0], results[1]);
    return results[1];
  };
  EXPECT_EQ(run(streamed, true), run(kept, false));
  EXPECT_EQ(tensors->reads["a.weight"], 3);
  EXPECT_EQ(tensors->reads["b.weight"], 3);
  EXPECT_EQ(tensors->reads["a.bias"], 2);
  EXPECT_EQ(backend->footprint(p, {.stream_weights = true}).total() - backend->footprint(p).total(), 4 * 512 * 700) << "one place for both";
}

TEST(PreparedWeights, WhatIsNotFiniteIsRefusedByName) {
  std::map<std::string, std::vector<int64_t>> tensors = {{"a.weight", {2, 3}}, {"a.bias", {2}}, {"b.weight", {2, 3}}, {"b.bias", {2}}};
  for (float value : {NAN, -NAN, HUGE_VALF, -HUGE_VALF})
    for (const char* name : {"a.bias", "b.weight"}) {
      PreparedWeights weights(make_reference_backend(), std::make_shared<FaultySource>(tensors, name, value), "the unet");
      EXPECT_THAT([&] { weights.prepare(two_linears(4)); }, ThrowsMessage<Error>(::testing::AllOf(HasSubstr("the unet"), HasSubstr(name))));
      EXPECT_EQ(weights.bytes(), 0);
    }
  PreparedWeights largest(make_reference_backend(), std::make_shared<FaultySource>(tensors, "a.bias", FLT_MAX), "the unet");
  EXPECT_NO_THROW(largest.prepare(two_linears(4)));
}

}  // namespace
}  // namespace hayate
