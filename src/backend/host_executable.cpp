// Memory and launch lists of host backends.
#include "backend/host_executable.h"

#include <cstdlib>
#include <cstring>

#include "core/error.h"
#include "core/page_range.h"

namespace hayate {

namespace {
TensorView view_of(const Node& n, std::byte* data) { return {data, n.shape.c, n.shape, n.dtype}; }

class HostExecutable : public Executable {
 public:
  HostExecutable(HostBackend& backend, Program program, WeightStore& store, CompileOptions options)
      : program_(std::move(program)), views_(size_t(program_.size())) {
    place_sources(backend, store);
    for (Rate section : {Rate::prompt, Rate::step}) place_section(backend, section, options);
    for (Value v = 0; v < program_.size(); ++v) bind(backend, v);
  }

  void run(Rate section) override {
    for (const Launch& launch : launches_[size_t(section)]) launch();
    if (section == Rate::step)
      for (auto c : program_.carries) copy_rows(view(c.to), view(c.from));
  }

  void write(const std::string& input, std::span<const std::byte> from) override {
    Value v = find(input, from.size());
    require(program_[v].op == Op::input, ErrorKind::internal, "write: {} is not an input", input);
    std::memcpy(view(v).data, from.data(), from.size());
  }

  void read(const std::string& value, std::span<std::byte> to) override {
    const TensorView& from = view(find(value, to.size()));
    require(from.data, ErrorKind::internal, "read: {} is not kept", value);
    copy_rows({to.data(), from.shape.c, from.shape, from.dtype}, from);
  }

  const Program& program() const override { return program_; }
  int64_t arena_bytes() const override { return arena_bytes_; }

 private:
  const TensorView& view(Value v) const { return views_[size_t(v)]; }

  Value find(const std::string& name, size_t bytes) const {
    Value v = program_.find(name);
    require(v != none, ErrorKind::internal, "there is no value named {}", name);
    require(size_t(byte_size(program_[v])) == bytes, ErrorKind::internal, "{}: {} bytes given, {} expected", name, bytes, byte_size(program_[v]));
    return v;
  }

  std::byte* keep(Buffer buffer) {
    buffers_.push_back(std::move(buffer));
    return buffers_.back().get();
  }

  // Bytes of 0xff are NaN in every float type: a value that no kernel wrote cannot pass for a result.
  std::byte* keep_poisoned(HostBackend& backend, int64_t bytes) {
    std::byte* data = keep(backend.allocate(bytes));
    std::memset(data, 0xff, size_t(bytes));
    arena_bytes_ += bytes;
    return data;
  }

  void place_sources(HostBackend& backend, WeightStore& store) {
    for (Value v = 0; v < program_.size(); ++v)
      if (const Node& n = program_[v]; n.op == Op::input) views_[size_t(v)] = view_of(n, keep_poisoned(backend, byte_size(n)));
    for (Value v : needed_load_values(program_)) views_[size_t(v)] = view_of(program_[v], keep(store.get(program_, v)));
  }

  void place_section(HostBackend& backend, Rate section, CompileOptions options) {
    MemoryPlan plan = plan_memory(program_, section, !options.keep_all);
    std::byte* arena = keep_poisoned(backend, plan.size);
    for (Value v = 0; v < program_.size(); ++v)
      if (int64_t offset = plan.offset[size_t(v)]; offset >= 0) views_[size_t(v)] = view_of(program_[v], arena + offset);
  }

  void bind(HostBackend& backend, Value v) {
    const Node& n = program_[v];
    if (is_source(n) || n.rate == Rate::load) return;
    if (is_view(n)) {
      const TensorView& whole = view(n.in[0]);
      int64_t skip = n.as<SliceAttr>().begin * size_of(n.dtype);
      views_[size_t(v)] = {static_cast<std::byte*>(whole.data) + skip, whole.row_stride, n.shape, n.dtype};
      return;
    }
    Operands operands{program_, n, view(v), {}};
    for (Value in : n.in) operands.in.push_back(in == none ? TensorView{} : view(in));
    launches_[size_t(n.rate)].push_back(backend.bind(operands));
  }

  static void copy_rows(const TensorView& to, const TensorView& from) {
    size_t row = size_t(to.shape.c * size_of(to.dtype));
    if (to.packed_rows() && from.packed_rows()) {
      std::memcpy(to.data, from.data, row * size_t(to.shape.rows()));
      return;
    }
    for (int64_t r = 0; r < to.shape.rows(); ++r)
      std::memcpy(static_cast<std::byte*>(to.data) + r * to.row_stride * size_of(to.dtype),
                  static_cast<std::byte*>(from.data) + r * from.row_stride * size_of(from.dtype), row);
  }

  Program program_;
  std::vector<TensorView> views_;
  std::vector<Buffer> buffers_;
  std::vector<Launch> launches_[3];  // by rate; load stays empty
  int64_t arena_bytes_ = 0;
};
}  // namespace

Buffer HostBackend::allocate(int64_t bytes) {
  constexpr int64_t kAlign = 64, kPages = int64_t{1} << 20;
  if (bytes >= kPages) {
    auto pages = std::make_shared<PageRange>(bytes);
    pages->commit();
    return {std::shared_ptr<void>(pages, pages->data()), bytes};
  }
  int64_t rounded = (std::max<int64_t>(bytes, 1) + kAlign - 1) / kAlign * kAlign;
  void* data = std::aligned_alloc(kAlign, size_t(rounded));
  require(data, ErrorKind::out_of_memory, "host memory: cannot allocate {} bytes", rounded);
  return {std::shared_ptr<void>(data, std::free), bytes};
}

Buffer HostBackend::fill(int64_t bytes, const std::function<void(std::span<std::byte>)>& write) {
  Buffer buffer = allocate(bytes);
  write({buffer.get(), size_t(bytes)});
  return buffer;
}

void HostBackend::upload(const Buffer& to, std::span<const std::byte> from) {
  require(int64_t(from.size()) <= to.bytes, ErrorKind::internal, "upload: {} bytes into a buffer of {}", from.size(), to.bytes);
  std::memcpy(to.get(), from.data(), from.size());
}

void HostBackend::download(std::span<std::byte> to, const Buffer& from) {
  require(int64_t(to.size()) <= from.bytes, ErrorKind::internal, "download: {} bytes from a buffer of {}", to.size(), from.bytes);
  std::memcpy(to.data(), from.get(), to.size());
}

Buffer HostBackend::evaluate(const Program& p, const Node& n, std::span<const Buffer> in) {
  Buffer out = allocate(byte_size(n));
  Operands operands{p, n, view_of(n, out.get()), {}};
  for (size_t k = 0; k < in.size(); ++k) operands.in.push_back(in[k] ? view_of(p[n.in[k]], in[k].get()) : TensorView{});
  bind(operands)();
  return out;
}

std::unique_ptr<Executable> HostBackend::compile(Program program, WeightStore& store, CompileOptions options) {
  verify(program, this);
  return std::make_unique<HostExecutable>(*this, std::move(program), store, options);
}

}  // namespace hayate
