// Growing scratch memory.
#include "backend/cpu/scratch.h"

#include <algorithm>

#include "core/error.h"

namespace hayate::cpu {

ScratchArena::Block ScratchArena::grow(int64_t bytes) {
  bytes = std::max(bytes, 2 * current_.bytes);  // pages that no op touches cost nothing
  bytes = (bytes + kScratchAlignment - 1) / kScratchAlignment * kScratchAlignment;
  blocks_.emplace_back(static_cast<std::byte*>(std::aligned_alloc(kScratchAlignment, size_t(bytes))));
  require(blocks_.back() != nullptr, ErrorKind::out_of_memory, "host memory: cannot allocate {} bytes of scratch", bytes);
  return current_ = {blocks_.back().get(), bytes};
}

std::byte* Scratch::take_bytes(int64_t bytes) {
  bytes = (bytes + kScratchAlignment - 1) / kScratchAlignment * kScratchAlignment;
  ScratchArena::Block block = arena_.current();
  if (used_ + bytes > block.bytes) {
    block = arena_.grow(bytes);
    used_ = 0;
  }
  used_ += bytes;
  return block.data + used_ - bytes;
}

void too_many_threads(int id, int threads) {
  fail(ErrorKind::internal, "thread {} runs an op that was compiled for {} threads", id, threads);
}

}  // namespace hayate::cpu
