// Sums of the columns of what group norms read, where products make it and can write them along (Hopper). A norm then reads its input once.
#pragma once
#include <map>
#include <set>

#include "backend/cuda/context.h"

namespace hayate::cuda {

class SummedColumns {
 public:
  SummedColumns(const Program&, int capability);
  int64_t bytes() const;

  // The options completed for the op that makes v. Ops come in the program's order.
  BindOptions options_for(const Operands&, Value v, const Context&, BindOptions);

 private:
  // Memory that values take in turn: from the product that writes to the last norm that reads.
  struct Slot {
    int64_t bytes;
    Buffer buffer{};
  };
  std::vector<Slot> slots_;
  std::map<Value, size_t> slot_of_;
  std::set<Value> written_;
};

}  // namespace hayate::cuda
