// Gives every value of one section an offset in one arena, reusing the bytes of values that are no longer read.
#pragma once
#include "program/program.h"

namespace hayate {

struct MemoryPlan {
  std::vector<int64_t> offset;  // per value; -1 where the section does not own it (views: see root_of)
  int64_t size = 0;             // bytes of the arena
  int64_t without_reuse = 0;    // what it would be if no two values shared bytes
};

// Values alive at the same time never overlap. Outputs, carries and values that a later section reads live until the
// end. With `reuse` off every value keeps its own bytes, so that any of them can be read afterwards (--dump).
MemoryPlan plan_memory(const Program&, Rate section, bool reuse = true);

// Throws Error(internal) naming two values that are alive together and overlap.
void verify_plan(const Program&, Rate section, const MemoryPlan&);

}  // namespace hayate
