// Choosing a GPU, memory from the driver's pool, copies through pinned memory.
#include "backend/cuda/device.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "backend/cuda/status.h"
#include "core/error.h"

namespace hayate::cuda {

namespace {
constexpr int kOldestCapability = 80;

int attribute(cudaDeviceAttr a, int ordinal) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, a, ordinal), "reading a property of the GPU");
  return value;
}
std::string version_text(int v) { return fmt::format("{}.{}", v / 1000, v % 1000 / 10); }
}  // namespace

int device_count() {
  int count = 0, driver = 0, runtime = 0;
  cudaError_t e = cudaGetDeviceCount(&count);
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  require(driver != 0, ErrorKind::unsupported, "no NVIDIA driver is loaded on this machine; CUDA {} is needed", version_text(runtime));
  require(e != cudaErrorInsufficientDriver, ErrorKind::unsupported, "the NVIDIA driver supports CUDA {}; this build needs {}", version_text(driver),
          version_text(runtime));
  require(e != cudaErrorNoDevice && (e != cudaSuccess || count > 0), ErrorKind::unsupported, "there is no NVIDIA GPU on this machine");
  check(e, "looking for GPUs");
  return count;
}

DeviceInfo device_info(int ordinal) {
  cudaDeviceProp p{};
  check(cudaGetDeviceProperties(&p, ordinal), "reading the properties of the GPU");
  DeviceInfo info{.name = p.name,
                  .capability = p.major * 10 + p.minor,
                  .multiprocessors = p.multiProcessorCount,
                  .memory = int64_t(p.totalGlobalMem),
                  .l2 = p.l2CacheSize};
  cudaDriverGetVersion(&info.driver);
  cudaRuntimeGetVersion(&info.runtime);
  return info;
}

namespace {
// The GPU's properties; makes it the thread's device, so that the driver has started it.
DeviceInfo usable_device(int ordinal) {
  const int count = device_count();
  require(ordinal >= 0 && ordinal < count, ErrorKind::usage, "there is no GPU number {}; this machine has {}", ordinal, count);
  DeviceInfo info = device_info(ordinal);
  require(info.capability >= kOldestCapability, ErrorKind::unsupported, "{} has compute capability {}.{}; at least 8.0 is needed", info.name,
          info.capability / 10, info.capability % 10);
  require(attribute(cudaDevAttrMemoryPoolsSupported, ordinal), ErrorKind::unsupported, "{}: the driver has no memory pools here", info.name);
  check(cudaSetDevice(ordinal), "starting the GPU");
  check(cudaFree(nullptr), "starting the GPU");
  return info;
}
}  // namespace

Device::Device(int ordinal) : ordinal_(ordinal), info_(usable_device(ordinal)), arena_(ordinal, info_.memory) {
  use();
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "creating a stream");
  check(cudaEventCreateWithFlags(&reached_, cudaEventDisableTiming), "creating an event");
  // Freed memory stays with the process for the next allocation.
  check(cudaDeviceGetDefaultMemPool(&pool_, ordinal), "reading the memory pool");
  auto threshold = std::numeric_limits<uint64_t>::max();
  check(cudaMemPoolSetAttribute(pool_, cudaMemPoolAttrReleaseThreshold, &threshold), "setting up the memory pool");
}

Device::~Device() {
  use();
  cudaStreamSynchronize(stream_);
  pieces_.free();
  cudaEventDestroy(reached_);
  cudaStreamDestroy(stream_);
}

void Device::use() const { cudaSetDevice(ordinal_); }

void Device::synchronize() const {
  use();
  check(cudaStreamSynchronize(stream_), "running on the GPU");
}

int64_t Device::memory_left() const {
  use();
  size_t free = 0, total = 0;
  uint64_t reserved = 0, used = 0;
  check(cudaMemGetInfo(&free, &total), "reading what memory is free");
  check(cudaMemPoolGetAttribute(pool_, cudaMemPoolAttrReservedMemCurrent, &reserved), "reading the memory pool");
  check(cudaMemPoolGetAttribute(pool_, cudaMemPoolAttrUsedMemCurrent, &used), "reading the memory pool");
  return int64_t(free + reserved - used);
}

bool Device::give_up_spare() noexcept {
  if (cudaStreamSynchronize(stream_) != cudaSuccess) return false;
  cudaMemPoolTrimTo(pool_, 0);
  if (!arena_user_) {
    budget_.give_back(arena_.committed());
    arena_.decommit();
  }
  return true;
}

template <class Missing, class Make>
void Device::within_budget(Missing missing, Make make) {
  std::lock_guard lock(memory_mutex_);
  use();
  auto attempt = [&] {
    const int64_t bytes = missing();
    budget_.take(bytes);
    try {
      make();
    } catch (...) {
      budget_.give_back(bytes);
      throw;
    }
  };
  try {
    attempt();
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::out_of_memory || !give_up_spare()) throw;
    attempt();
  }
}

Buffer Device::allocate(int64_t bytes) {
  void* data = nullptr;
  within_budget([&] { return bytes; }, [&] { check(cudaMallocAsync(&data, size_t(std::max<int64_t>(bytes, 1)), stream_), "allocating GPU memory"); });
  auto free = [self = shared_from_this(), bytes](void* p) { self->release(p, bytes); };
  return {std::shared_ptr<void>(data, free), bytes};
}

// Not of the pool: cudaFree waits for all streams, and may come while a graph is captured in another thread. That thread may be at work on another GPU.
Buffer Device::allocate_for_others(int64_t bytes) {
  void* data = nullptr;
  within_budget([&] { return bytes; }, [&] { check(cudaMalloc(&data, size_t(std::max<int64_t>(bytes, 1))), "allocating GPU memory"); });
  auto free = [self = shared_from_this(), bytes](void* p) {
    int current = 0;
    const bool known = cudaGetDevice(&current) == cudaSuccess;
    self->use();
    cudaFree(p);
    if (known) cudaSetDevice(current);
    self->budget_.give_back(bytes);
  };
  return {std::shared_ptr<void>(data, free), bytes};
}

void Device::release(void* data, int64_t bytes) noexcept {
  use();
  cudaFreeAsync(data, stream_);
  budget_.give_back(bytes);
}

void Device::take_arena(const void* user, int64_t bytes) {
  arena_user_ = nullptr;
  within_budget([&] { return std::max<int64_t>(0, arena_.rounded(bytes) - arena_.committed()); }, [&] { arena_.commit(bytes); });
  arena_user_ = user;
}

void Device::leave_arena(const void* user) noexcept {
  if (arena_user_ == user) arena_user_ = nullptr;
}

void Device::set(void* to, std::byte value, int64_t bytes) {
  use();
  check(cudaMemsetAsync(to, int(value), size_t(bytes), stream_), "filling GPU memory");
}

void Device::send(const PinnedPieces::Taken& piece, void* to, size_t bytes) {
  check(cudaMemcpyAsync(to, piece.data(), bytes, cudaMemcpyHostToDevice, stream_), "copying to the GPU");
  piece.used_by(stream_);
}

void Device::upload(void* to, std::span<const std::byte> from) {
  use();
  for (size_t at = 0, bytes; at < from.size(); at += bytes) {
    const PinnedPieces::Taken piece = pieces_.take();
    bytes = std::min(from.size() - at, PinnedPieces::kBytes);
    std::memcpy(piece.data(), from.data() + at, bytes);
    send(piece, static_cast<std::byte*>(to) + at, bytes);
  }
}

void Device::fill(void* to, int64_t bytes, const std::function<void(std::span<std::byte>)>& write) {
  use();
  if (size_t(bytes) > PinnedPieces::kBytes) {
    std::unique_ptr<std::byte[]> host(new std::byte[size_t(bytes)]);  // without initialisation
    write({host.get(), size_t(bytes)});
    return upload(to, {host.get(), size_t(bytes)});
  }
  const PinnedPieces::Taken piece = pieces_.take();
  write({piece.data(), size_t(bytes)});
  send(piece, to, size_t(bytes));
}

// From one place of the GPU to another, or from pinned memory.
void Device::copy(void* to, const void* from, int64_t bytes) {
  use();
  check(cudaMemcpyAsync(to, from, size_t(bytes), cudaMemcpyDefault, stream_), "copying on the GPU");
}

void Device::wait_for(const Device& other) const {
  other.use();
  check(cudaEventRecord(other.reached_, other.stream_), "waiting for another GPU");
  use();
  check(cudaStreamWaitEvent(stream_, other.reached_, 0), "waiting for another GPU");
}

void Device::wait_for_default_stream() const {
  use();
  check(cudaEventRecord(reached_, cudaStreamLegacy), "waiting for the default stream");
  check(cudaStreamWaitEvent(stream_, reached_, 0), "waiting for the default stream");
}

// The driver goes from GPU to GPU where the machine has a way, and else through the host.
void Device::copy_from(const Device& other, void* to, const void* from, int64_t bytes) {
  if (&other == this) return copy(to, from, bytes);
  wait_for(other);
  check(cudaMemcpyPeerAsync(to, ordinal_, from, other.ordinal_, size_t(bytes), stream_), "copying from another GPU");
  other.wait_for(*this);
}

void Device::download(std::span<std::byte> to, const void* from) {
  use();
  for (size_t at = 0, bytes; at < to.size(); at += bytes) {
    const PinnedPieces::Taken piece = pieces_.take();
    bytes = std::min(to.size() - at, PinnedPieces::kBytes);
    check(cudaMemcpyAsync(piece.data(), static_cast<const std::byte*>(from) + at, bytes, cudaMemcpyDeviceToHost, stream_), "copying from the GPU");
    piece.used_by(stream_);
    piece.wait();
    std::memcpy(to.data() + at, piece.data(), bytes);
  }
}

Buffer Device::allocate_pinned(int64_t bytes) {
  use();
  void* data = nullptr;
  check(cudaMallocHost(&data, size_t(std::max<int64_t>(bytes, 1))), "allocating pinned host memory");
  return {std::shared_ptr<void>(data, [self = shared_from_this()](void* p) { self->use(), cudaFreeHost(p); }), bytes};
}

}  // namespace hayate::cuda
