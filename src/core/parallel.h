// Data-parallel loops on the OpenMP pool that oneDNN uses too, so that there is only one pool.
#pragma once
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>

namespace hayate {

// Calls body(begin, end) for disjoint ranges covering [0, count); each at least `grain` long, split in a fixed way
// that depends on the thread count only. An exception from any range is rethrown here.
template <class Body>
void parallel_for(int64_t count, int64_t grain, Body&& body) {
  int64_t pieces = std::min<int64_t>(omp_get_max_threads(), (count + grain - 1) / std::max<int64_t>(grain, 1));
  if (pieces <= 1 || omp_in_parallel()) {
    if (count > 0) body(int64_t{0}, count);
    return;
  }
  std::exception_ptr failure;
#pragma omp parallel num_threads(int(pieces))
  {
    int64_t id = omp_get_thread_num(), all = omp_get_num_threads();
    try {
      if (int64_t begin = count * id / all, end = count * (id + 1) / all; begin < end) body(begin, end);
    } catch (...) {
#pragma omp critical(hayate_parallel_for)
      failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

// Calls task(0), .., task(count - 1), each on whichever thread is free: for tasks of unequal length. Loops within a task run on
// its thread. After an exception, which is rethrown here, no further task starts.
template <class Task>
void parallel_tasks(int64_t count, Task&& task) {
  std::exception_ptr failure;
  std::atomic<bool> failed = false;
#pragma omp parallel for schedule(dynamic)
  for (int64_t i = 0; i < count; ++i) {
    if (failed) continue;
    try {
      task(i);
    } catch (...) {
#pragma omp critical(hayate_parallel_tasks)
      failure = std::current_exception();
      failed = true;
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace hayate
