// What every backend's executable promises beside computing ops: carries, values for each step, captured sections.
#include <gtest/gtest.h>

#include "backend/candidates.h"
#include "backend/run_case.h"

namespace hayate::testing {
namespace {

// The sweep and the tests here run on what there is; this says by name what there is not.
TEST(Executables, RunOnCuda) {
  if (std::string why; cuda_devices(why).empty()) GTEST_SKIP() << why;
}

// total <- total + row, `total` carried; `doubled` is a column slice of a wider value.
Program accumulator() {
  Program p;
  Shape s{2, 1, 1, 4};
  Value total = p.add({.op = Op::input, .shape = s, .rate = Rate::step, .name = "total"});
  Value row = p.add({.op = Op::input, .shape = s, .rate = Rate::step, .name = "row"});
  Value sum = p.add({.op = Op::add, .in = {total, row}, .name = "sum"});
  Value both = p.add({.op = Op::concat, .in = {sum, sum}, .name = "both"});
  Value right = p.add({.op = Op::slice, .in = {both}, .shape = {.c = 4}, .name = "right", .attr = SliceAttr{4}});
  p.outputs = {right};
  p.carries = {{right, total}};
  return p;
}

std::vector<float> read_output(Executable& e) {
  std::vector<float> values(8);
  e.read("right", std::as_writable_bytes(std::span(values)));
  return values;
}
std::span<const std::byte> bytes(const std::vector<float>& v) { return std::as_bytes(std::span(v)); }

TEST(Executables, TakeAValueForEachStepAndCarry) {
  for (const Candidate& candidate : candidates())
    for (bool capture : {false, true}) {
      SCOPED_TRACE(candidate.name);
      CaseValues none(Program{}, {});
      CaseWeights weights(*candidate.backend, none);
      auto e = candidate.backend->compile(accumulator(), weights, {.capture = capture});
      std::vector<float> start{0, 0, 0, 0, 0, 0, 0, 1}, rows, expected = start;
      for (int i = 0; i < 24; ++i) rows.push_back(float(i + 1));
      e->write("total", bytes(start));
      e->write_steps("row", bytes(rows), 3);
      for (int step = 0; step < 3; ++step) {
        e->run(Rate::step);
        for (size_t i = 0; i < 8; ++i) expected[i] += rows[size_t(step) * 8 + i];
        EXPECT_EQ(read_output(*e), expected) << step;
      }
      e->run(Rate::step);  // no value left: the last one stays
      for (size_t i = 0; i < 8; ++i) expected[i] += rows[16 + i];
      EXPECT_EQ(read_output(*e), expected);

      // Other values, another number of them, in the middle of the old ones.
      std::vector<float> ones(16, 1.0f);
      e->write_steps("row", bytes(rows), 3);
      e->write_steps("row", bytes(ones), 2);
      e->write("total", bytes(start));
      e->run(Rate::step), e->run(Rate::step);
      EXPECT_EQ(read_output(*e), (std::vector<float>{2, 2, 2, 2, 2, 2, 2, 3}));

      e->write("row", bytes(start));  // none left: what is written counts
      e->run(Rate::step);
      EXPECT_EQ(read_output(*e), (std::vector<float>{2, 2, 2, 2, 2, 2, 2, 4}));
    }
}

TEST(Executables, ProfileTimesEachOpThatRunsAndLeavesTheInputs) {
  for (const Candidate& candidate : candidates()) {
    SCOPED_TRACE(candidate.name);
    CaseValues none(Program{}, {});
    CaseWeights weights(*candidate.backend, none);
    auto e = candidate.backend->compile(accumulator(), weights, {});
    std::vector<float> start{1, 2, 3, 4, 5, 6, 7, 8};
    e->write("total", bytes(start)), e->write("row", bytes(start));
    const Program& p = e->program();
    const std::vector<double> seconds = e->profile(Rate::step, 2);
    ASSERT_EQ(seconds.size(), size_t(p.size()));
    for (Value v = 0; v < p.size(); ++v) EXPECT_EQ(seconds[size_t(v)] > 0, runs(p[v])) << p[v].name;
    EXPECT_EQ(std::vector<double>(size_t(p.size()), 0.0), e->profile(Rate::prompt, 2));
    e->run(Rate::step);
    EXPECT_EQ(read_output(*e), (std::vector<float>{2, 4, 6, 8, 10, 12, 14, 16}));
  }
}

}  // namespace
}  // namespace hayate::testing
