// Moments of the rows that a linear normalises, where another linear makes those rows and can write them along.
#pragma once
#include <map>

#include "backend/cuda/context.h"

namespace hayate::cuda {

class RowMoments {
 public:
  explicit RowMoments(const Program&);
  static int64_t bytes(const Program&);  // of all

  // The options completed for the op that makes v. Ops come in the program's order.
  BindOptions options_for(const Operands&, Value v, const Context&, BindOptions);

 private:
  std::map<Value, Buffer> parts_;  // by value; made when its linear is bound
};

}  // namespace hayate::cuda
