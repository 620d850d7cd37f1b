// Memory that the ops of one executable use in turn: taken while they are bound, used while they run, never kept between runs.
#pragma once
#include <omp.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

namespace hayate::cpu {

constexpr int64_t kScratchAlignment = 64;  // a cache line

// One per executable. A block that has become too small is replaced, but lives on for the ops that were bound to it.
class ScratchArena {
 public:
  struct Block { std::byte* data; int64_t bytes; };
  Block current() const { return current_; }
  Block grow(int64_t bytes);

 private:
  struct Free { void operator()(std::byte* p) const { std::free(p); } };
  std::vector<std::unique_ptr<std::byte, Free>> blocks_;
  Block current_{nullptr, 0};
};

[[noreturn]] void too_many_threads(int id, int threads);

// What one op takes, uninitialised.
class Scratch {
 public:
  explicit Scratch(ScratchArena& arena) : arena_(arena) {}

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
  std::byte* take_bytes(int64_t bytes);

  ScratchArena& arena_;
  int64_t used_ = 0;
};

}  // namespace hayate::cpu
