// No two values that are alive together share bytes: on random programs and on planted overlaps.
#include "program/plan_memory.h"

#include <gtest/gtest.h>

#include <random>

#include "hayate/error.h"
#include "program/builder.h"

namespace hayate {
namespace {

// A random straight-line program of elementwise ops, concats and slices over values of many sizes and both rates.
Program random_program(unsigned seed) {
  std::mt19937 g(seed);
  auto below = [&](int n) { return int(g() % unsigned(n)); };
  Program p;
  Builder b(p);
  std::vector<Value> values = {b.input("prompt", {1, 2, 2, 8}, Rate::prompt), b.input("step", {1, 2, 2, 8}, Rate::step)};
  for (int i = 0; i < 60; ++i) {
    Value v = values[size_t(below(int(values.size())))], w = values[size_t(below(int(values.size())))];
    std::string name = "v" + std::to_string(i);
    int64_t c = b.shape(v).c;
    switch (below(4)) {
      case 0: values.push_back(b.affine(name, v, 1, 1)); break;
      case 1: values.push_back(c > 400 ? b.affine(name, v, 1, 1) : b.concat(name, v, w)); break;
      case 2: values.push_back(c < 2 ? b.affine(name, v, 1, 1) : b.slice(name, v, 1, c - 1)); break;
      case 3: values.push_back(b.add(name, v, v)); break;
    }
  }
  p.outputs = {values.back(), values[size_t(below(int(values.size())))]};
  return drop_dead(p);
}

TEST(PlanMemory, RandomProgramsNeverOverlap) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    Program p = random_program(seed);
    for (Rate section : {Rate::prompt, Rate::step})
      for (bool reuse : {true, false}) ASSERT_NO_THROW(verify_plan(p, section, plan_memory(p, section, reuse))) << "seed " << seed;
  }
}

Program chain(int length) {
  Program p;
  Builder b(p);
  Value x = b.input("x", {1, 8, 8, 64}, Rate::step);
  for (int i = 0; i < length; ++i) x = b.affine("v" + std::to_string(i), x, 2, 0);
  p.outputs = {x};
  return p;
}

TEST(PlanMemory, AChainNeedsTwoBuffers) {
  Program p = chain(20);
  MemoryPlan plan = plan_memory(p, Rate::step);
  EXPECT_EQ(plan.size, 2 * 8 * 8 * 64 * 4);
  EXPECT_EQ(plan.without_reuse, 20 * 8 * 8 * 64 * 4);
  EXPECT_EQ(plan_memory(p, Rate::step, false).size, plan.without_reuse);
}

TEST(PlanMemory, APlantedOverlapIsFound) {
  Program p = chain(3);
  MemoryPlan plan = plan_memory(p, Rate::step);
  plan.offset[size_t(p.find("v1"))] = plan.offset[size_t(p.find("v0"))];
  EXPECT_THROW(verify_plan(p, Rate::step, plan), Error);
}

TEST(PlanMemory, ValuesThatALaterSectionReadsOutliveTheirs) {
  Program p;
  Builder b(p);
  Value text = b.input("text", {1, 1, 4, 8}, Rate::prompt), x = b.input("x", {1, 1, 4, 8}, Rate::step);
  Value key = b.affine("key", text, 2, 0);
  Value other = b.affine("other", b.affine("more", text, 3, 0), 4, 0);
  p.outputs = {b.add("y", x, key), other};
  MemoryPlan plan = plan_memory(p, Rate::prompt);
  verify_plan(p, Rate::prompt, plan);
  plan.offset[size_t(p.find("other"))] = plan.offset[size_t(p.find("key"))];
  EXPECT_THROW(verify_plan(p, Rate::prompt, plan), Error);
}

}  // namespace
}  // namespace hayate
