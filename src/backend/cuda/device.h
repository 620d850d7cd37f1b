// One GPU: what it is, its stream, its memory.
#pragma once
#include <cuda_runtime_api.h>

#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "backend/backend.h"
#include "backend/cuda/arena.h"
#include "backend/cuda/pinned_pieces.h"

namespace hayate::cuda {

struct DeviceInfo {
  std::string name;
  int capability = 0;  // 80 is 8.0
  int multiprocessors = 0;
  int64_t memory = 0;           // bytes
  int64_t l2 = 0;               // bytes
  int driver = 0, runtime = 0;  // 13000 is CUDA 13.0
};

// Error(unsupported) when there is no GPU, or the driver is older than this build's CUDA needs.
int device_count();
DeviceInfo device_info(int ordinal);

// Owns the one stream on which everything of a backend runs in order. Buffers may outlive the backend, so they hold it.
class Device : public std::enable_shared_from_this<Device> {
 public:
  explicit Device(int ordinal);  // Error(unsupported) below compute capability 8.0
  ~Device();
  Device(const Device&) = delete;

  const DeviceInfo& info() const { return info_; }
  cudaStream_t stream() const { return stream_; }
  void use() const;  // makes this the calling thread's device
  void synchronize() const;
  int ordinal() const { return ordinal_; }
  void wait_for_default_stream() const;  // the stream does, for all that is on the legacy default stream now

  // Error(out_of_memory) when the GPU or the budget has no room. Freed in stream order. At least 256-byte aligned.
  Buffer allocate(int64_t bytes);
  // For others, who read it on streams of theirs and let go of it in any thread: it is freed when what runs on the GPU is done.
  Buffer allocate_for_others(int64_t bytes);
  MemoryBudget& budget() { return budget_; }  // buffers and the arena
  int64_t memory_left() const;                // bytes that are free on the GPU, or held by the pool for the next allocation

  // The arena for `user`, with memory behind its first bytes. It belongs to the last one who asked: others have lost their values.
  std::byte* arena() const { return arena_.data(); }
  void take_arena(const void* user, int64_t bytes);
  bool has_arena(const void* user) const { return arena_user_ == user; }
  void leave_arena(const void* user) noexcept;  // its memory stays for the next one, until it is needed for something else

  void set(void* to, std::byte value, int64_t bytes);
  // Through pinned memory, in pieces. From many threads, so that they copy into it while others' bytes are on their way.
  void upload(void* to, std::span<const std::byte> from);
  // The same of what `write` writes, which it does in pinned memory where that is large enough.
  void fill(void* to, int64_t bytes, const std::function<void(std::span<std::byte>)>& write);
  void download(std::span<std::byte> to, const void* from);
  void copy(void* to, const void* from, int64_t bytes);
  // From another GPU, behind what runs there now and before what comes there next; the host does not wait.
  void copy_from(const Device& other, void* to, const void* from, int64_t bytes);
  // Pinned memory of the host, at an address that kernels read from, too; not counted in the budget.
  Buffer allocate_pinned(int64_t bytes);

 private:
  // Calls make() after taking missing() bytes of the budget; where that or the GPU refuses, once more after what is held for later has
  // been given back.
  template <class Missing, class Make>
  void within_budget(Missing, Make make);
  bool give_up_spare() noexcept;
  void release(void* data, int64_t bytes) noexcept;
  void wait_for(const Device& other) const;  // the stream does, for all that is on the other's now
  void send(const PinnedPieces::Taken&, void* to, size_t bytes);  // what is written in it

  int ordinal_;
  DeviceInfo info_;
  MemoryBudget budget_;
  Arena arena_;
  const void* arena_user_ = nullptr;
  std::mutex memory_mutex_;
  cudaMemPool_t pool_ = nullptr;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t reached_ = nullptr;  // how far the stream has come, for another GPU that waits
  PinnedPieces pieces_;
};

}  // namespace hayate::cuda
