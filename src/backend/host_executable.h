// What backends that run on the host share: buffers are plain memory, an executable is a list of bound launches.
#pragma once
#include <functional>
#include <unordered_map>
#include <vector>

#include "backend/backend.h"
#include "backend/scratch.h"

namespace hayate {

// A value's bytes. Rows are n*h*w; a column slice of a wider value has row_stride > shape.c.
struct TensorView {
  void* data = nullptr;
  int64_t row_stride = 0;  // elements
  Shape shape = {};
  Dtype dtype = Dtype::f32;

  template <class T> T* row(int64_t r) const { return static_cast<T*>(data) + r * row_stride; }
  bool packed_rows() const { return row_stride == shape.c; }
};

// One op with everything resolved. Absent optional inputs have data == nullptr.
struct Operands {
  const Program& program;
  const Node& node;
  TensorView out;
  std::vector<TensorView> in;

  bool has(size_t k) const { return k < in.size() && in[k].data; }
  Op made_by(size_t k) const { return program[node.in[k]].op; }  // Op::pack: in[k].data is in the backend's own layout
};

using Launch = std::function<void()>;

class HostBackend : public Backend {
 public:
  Buffer allocate(int64_t bytes) override;
  Buffer fill(int64_t bytes, const std::function<void(std::span<std::byte>)>& write) override;
  void upload(const Buffer& to, std::span<const std::byte> from) override;
  void download(std::span<std::byte> to, const Buffer& from) override;
  Buffer evaluate(const Program&, const Node&, std::span<const Buffer> in) override;
  int64_t prepared_bytes(const Program&, const Node& n) const override { return byte_size(n); }
  Footprint footprint(const Program&, CompileOptions) const override;
  std::unique_ptr<Executable> compile(Program, WeightStore&, CompileOptions) override;
  MemoryBudget& memory() override { return *budget_; }
  std::shared_ptr<MemoryBudget> shared_memory() const { return budget_; }  // buffers and executables may outlive the backend

  // Chooses a kernel and fixes everything that does not change between runs. The launch must not allocate. Binding looks at no data:
  // it is also done where there is none, to learn how much scratch memory is taken.
  virtual Launch bind(const Operands&, Scratch&) const = 0;

 private:
  std::shared_ptr<MemoryBudget> budget_ = std::make_shared<MemoryBudget>();
};

}  // namespace hayate
