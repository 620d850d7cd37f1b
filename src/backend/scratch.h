// Memory that the ops of one executable use in turn: taken while they are bound, used while they run, never kept between runs.
#pragma once
#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace hayate {

constexpr int64_t kScratchAlignment = 64;  // a cache line

[[noreturn]] void too_many_threads(int id, int threads);

// What one op takes, uninitialised, from the start of `memory`. An op is bound twice: the first time tells how much it takes.
class Scratch {
 public:
  explicit Scratch(std::byte* memory) : memory_(memory) {}

  int64_t used() const { return most_; }
  // What was taken since `position` was asked for may be taken again, by a step that runs later.
  int64_t position() const { return taken_; }
  void rewind(int64_t position) { taken_ = position; }

  template <class T>
  T* take(int64_t count) { return reinterpret_cast<T*>(take_bytes(count * int64_t(sizeof(T)))); }

  // The same for each thread.
  template <class T>
  struct PerThread {
    T* first;
    int threads;
    int64_t stride;
    T* mine() const {
      int id = omp_get_thread_num();
      if (id >= threads) too_many_threads(id, threads);
      return first + id * stride;
    }
  };
  template <class T>
  PerThread<T> take_per_thread(int64_t count) {
    int threads = omp_get_max_threads();
    int64_t line = kScratchAlignment / int64_t(sizeof(T)), stride = (count + line - 1) / line * line;
    return {take<T>(stride * threads), threads, stride};
  }

 private:
  std::byte* take_bytes(int64_t bytes) {
    std::byte* memory = memory_ + taken_;
    taken_ += (bytes + kScratchAlignment - 1) / kScratchAlignment * kScratchAlignment;
    most_ = std::max(most_, taken_);
    return memory;
  }

  std::byte* memory_;
  int64_t taken_ = 0, most_ = 0;
};

}  // namespace hayate
