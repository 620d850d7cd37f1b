// Rows of one tensor into rows of another, on all cores.
#pragma once
#include <algorithm>
#include <cstring>

#include "backend/cpu/context.h"
#include "core/parallel.h"

namespace hayate::cpu {

// Row r of `to` becomes row source(r) of `from`.
template <class Source>
Launch copy_rows(const TensorView& to, const TensorView& from, Source source) {
  return [=] {
    int64_t size = size_of(to.dtype), bytes = to.shape.c * size;
    parallel_for(to.shape.rows(), std::max<int64_t>(1, (1 << 14) / bytes), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r)
        std::memcpy(to.row<std::byte>(0) + r * to.row_stride * size, from.row<std::byte>(0) + source(r) * from.row_stride * size, size_t(bytes));
    });
  };
}

}  // namespace hayate::cpu
