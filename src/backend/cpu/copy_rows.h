// Rows of one tensor into rows of another, on all cores.
#pragma once
#include <algorithm>
#include <cstring>

#include "backend/cpu/context.h"
#include "core/parallel.h"

namespace hayate::cpu {

constexpr int64_t kZeros = -1;

// Row r of `to` becomes row source(r) of `from`, or zeros.
template <class Source>
Launch copy_rows(const TensorView& to, const TensorView& from, Source source) {
  return [=] {
    int64_t size = size_of(to.dtype), bytes = to.shape.c * size;
    parallel_for(to.shape.rows(), std::max<int64_t>(1, (1 << 14) / bytes), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        std::byte* row = to.row<std::byte>(0) + r * to.row_stride * size;
        const int64_t at = source(r);
        at == kZeros ? std::memset(row, 0, size_t(bytes)) : std::memcpy(row, from.row<std::byte>(0) + at * from.row_stride * size, size_t(bytes));
      }
    });
  };
}

}  // namespace hayate::cpu
