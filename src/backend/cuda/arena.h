// One range of addresses on the GPU that executables use in turn, each from its beginning: a captured graph holds addresses, so they stay,
// while the memory behind them comes and goes.
#pragma once
#include <cuda.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hayate::cuda {

class Arena {
 public:
  Arena(int ordinal, int64_t most_bytes);  // makes the range; no memory yet
  ~Arena();
  Arena(const Arena&) = delete;

  std::byte* data() const { return reinterpret_cast<std::byte*>(begin_); }
  int64_t committed() const { return committed_; }
  int64_t rounded(int64_t bytes) const { return (bytes + unit_ - 1) / unit_ * unit_; }
  // Memory behind the first bytes, at least; throws Error(out_of_memory) and then has what it had. What is there stays.
  void commit(int64_t bytes);
  void decommit() noexcept;  // nothing may run on it

 private:
  struct Piece {
    CUmemGenericAllocationHandle memory;
    int64_t at, bytes;
  };

  CUmemAllocationProp kind_{};
  int64_t unit_ = 1, bytes_ = 0, committed_ = 0;
  CUdeviceptr begin_ = 0;
  std::vector<Piece> pieces_;
};

}  // namespace hayate::cuda
