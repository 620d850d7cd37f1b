// What backends that run on the host share: buffers are plain memory, an executable is a list of bound launches.
#pragma once
#include <functional>
#include <vector>

#include "backend/backend.h"
#include "backend/operands.h"
#include "backend/scratch.h"

namespace hayate {

using Launch = std::function<void()>;

class HostBackend : public Backend {
 public:
  Buffer allocate(int64_t bytes) override;
  Buffer allocate_on_host(int64_t bytes) override { return allocate(bytes); }
  Buffer fill(int64_t bytes, const std::function<void(std::span<std::byte>)>& write) override;
  void upload(const Buffer& to, std::span<const std::byte> from) override;
  void download(std::span<std::byte> to, const Buffer& from) override;
  using Backend::evaluate;
  void evaluate(const Program&, const Node&, std::span<const Buffer> in, const Buffer& out) override;
  int64_t prepared_bytes(const Program&, const Node& n) const override { return byte_size(n); }
  void copy(const Buffer& to, const Buffer& from) override;
  bool take(const Buffer& to, int64_t width, const DeviceArray& from, float factor) override;
  using Backend::footprint;
  Footprint footprint(std::span<const Program>, CompileOptions) const override;
  std::unique_ptr<Executable> compile_turns(std::vector<Program>, WeightStore&, CompileOptions) override;
  bool is_host() const override { return true; }
  MemoryBudget& memory() override { return *budget_; }
  int64_t memory_left() const override;
  std::shared_ptr<MemoryBudget> shared_memory() const { return budget_; }  // buffers and executables may outlive the backend

  // Chooses a kernel and fixes everything that does not change between runs. The launch must not allocate. Binding looks at no data:
  // it is also done where there is none, to learn how much scratch memory is taken.
  virtual Launch bind(const Operands&, Scratch&) const = 0;

 private:
  std::shared_ptr<MemoryBudget> budget_ = std::make_shared<MemoryBudget>();
};

}  // namespace hayate
