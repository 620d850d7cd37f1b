// What a backend counts is what was forecast, and it is given back.
#include <gtest/gtest.h>

#include "backend/cpu/cpu_backend.h"
#include "backend/op_cases.h"
#include "backend/run_case.h"
#include "passes/passes.h"

namespace hayate::testing {
namespace {

TEST(MemoryBudget, RefusesWhatIsBeyondItsLimit) {
  MemoryBudget budget;
  budget.set_limit(100);
  budget.take(60);
  EXPECT_THROW(budget.take(41), Error);
  budget.take(40);
  EXPECT_EQ(budget.used(), 100);
  budget.give_back(70);
  EXPECT_EQ(budget.used(), 30);
  EXPECT_EQ(budget.peak(), 100);
  budget.start_peak();
  EXPECT_EQ(budget.peak(), 30);
}

TEST(Memory, BuffersAreCountedWhileTheyLive) {
  std::shared_ptr<Backend> backend = make_cpu_backend();
  for (int64_t bytes : {int64_t{0}, int64_t{1}, int64_t{100000}, int64_t{3} << 20}) {
    Buffer buffer = backend->allocate(bytes), copy = buffer;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.get()) % 64, 0u);
    EXPECT_EQ(backend->memory().used(), bytes);
    buffer = {};
    EXPECT_EQ(backend->memory().used(), bytes);
    copy = {};
    EXPECT_EQ(backend->memory().used(), 0);
  }
  backend->memory().set_limit(int64_t{1} << 20);
  EXPECT_THROW(backend->allocate((int64_t{1} << 20) + 1), Error);
  EXPECT_EQ(backend->memory().used(), 0);
}

// Every op of the table, on the best kernels and on those that stage in small pieces.
TEST(Memory, ExecutablesTakeTheirFootprintWhileTheyAreAwake) {
  for (const std::shared_ptr<Backend>& backend : {make_cpu_backend(), make_cpu_backend(cpu::best_isa(), 3000), make_reference_backend()})
    for (const OpCase& c : op_cases())
      for (Dtype dtype : {Dtype::f32, Dtype::bf16}) {
        const Program plain = c.record(dtype);
        if (dtype != Dtype::f32 && precision_of(c.op) == Precision::exact) continue;
        if (!supports_all(*backend, plain)) continue;
        const Program p = pack_weights(plain, {*backend, dtype});
        CaseValues values(p, c.fills);
        CaseWeights weights(*backend, values);
        std::unique_ptr<Executable> executable = backend->compile(p, weights);
        int64_t held = 0;
        for (Value v : needed_load_values(p)) held += backend->prepared_bytes(p, p[v]);
        ASSERT_EQ(backend->memory().used(), held) << c.name;
        for (int round = 0; round < 2; ++round) {
          for (const Node& n : p.nodes())
            if (n.op == Op::input) executable->write(n.name, values.bytes(n));
          executable->run(Rate::step);
          ASSERT_EQ(backend->memory().used(), held + backend->footprint(p).total()) << c.name;
          executable->rest();
          ASSERT_EQ(backend->memory().used(), held) << c.name;
        }
        backend->memory().set_limit(held + backend->footprint(p).total() - 1);
        EXPECT_THROW(executable->run(Rate::step), Error) << c.name;
        backend->memory().set_limit(INT64_MAX);
        executable.reset();
        ASSERT_EQ(backend->memory().used(), 0) << c.name;
      }
}

// The decoder of SDXL at 1024x1024: 2 GiB of scratch would be needed if products were staged whole.
TEST(Memory, StagedProductsTakeBoundedScratch) {
  auto scratch_of = [](int64_t side) {
    Program p;
    Value x = p.add({.op = Op::input, .shape = {1, side, side, 256}, .dtype = Dtype::bf16, .rate = Rate::step, .name = "x"});
    Value w = p.add({.op = Op::weight, .shape = {256, 3, 3, 256}, .dtype = Dtype::bf16, .name = "w"});
    p.outputs = {p.add({.op = Op::conv2d, .in = {x, w, none, none}, .dtype = Dtype::bf16, .name = "y", .attr = ConvAttr{1, 1, 1}})};
    return make_cpu_backend()->footprint(p).scratch;
  };
  EXPECT_LE(scratch_of(1024), int64_t{128} << 20);
  EXPECT_LE(scratch_of(1024), scratch_of(512) + (int64_t{8} << 20));
}

}  // namespace
}  // namespace hayate::testing
