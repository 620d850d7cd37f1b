// Memory and launch lists of host backends.
#include "backend/host_executable.h"

#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "core/page_range.h"

namespace hayate {

namespace {
TensorView view_of(const Node& n, std::byte* data) { return {data, n.shape.c, n.shape, n.dtype}; }

// Where values lie in an executable's memory: inputs first, then one arena for each section.
struct Layout {
  std::vector<int64_t> offset;  // -1: a load value or a view
  int64_t bytes = 0;
};

Layout lay_out(const Program& p, CompileOptions options) {
  constexpr int64_t kAlign = 64;
  Layout layout{.offset = std::vector<int64_t>(size_t(p.size()), -1)};
  for (Value v = 0; v < p.size(); ++v)
    if (p[v].op == Op::input) layout.offset[size_t(v)] = std::exchange(layout.bytes, layout.bytes + (byte_size(p[v]) + kAlign - 1) / kAlign * kAlign);
  for (Rate section : {Rate::prompt, Rate::step}) {
    MemoryPlan plan = plan_memory(p, section, !options.keep_all);
    for (size_t v = 0; v < plan.offset.size(); ++v)
      if (plan.offset[v] >= 0) layout.offset[v] = layout.bytes + plan.offset[v];
    layout.bytes += plan.size;
  }
  return layout;
}

// The bytes of every value, given where load values are.
template <class LoadValue>
std::vector<TensorView> place(const Program& p, const Layout& layout, std::byte* memory, LoadValue load_value) {
  std::vector<TensorView> views(static_cast<size_t>(p.size()));
  for (Value v : needed_load_values(p)) views[size_t(v)] = view_of(p[v], load_value(v));
  for (Value v = 0; v < p.size(); ++v) {
    const Node& n = p[v];
    if (layout.offset[size_t(v)] >= 0) views[size_t(v)] = view_of(n, memory + layout.offset[size_t(v)]);
    if (is_view(n) && n.rate != Rate::load) {
      const TensorView& whole = views[size_t(n.in[0])];
      views[size_t(v)] = {static_cast<std::byte*>(whole.data) + n.as<SliceAttr>().begin * size_of(n.dtype), whole.row_stride, n.shape, n.dtype};
    }
  }
  return views;
}

// Calls body(operands) for every op that runs in a section.
template <class Body>
void for_ops(const Program& p, const std::vector<TensorView>& views, Body body) {
  for (Value v = 0; v < p.size(); ++v) {
    const Node& n = p[v];
    if (is_source(n) || is_view(n) || n.rate == Rate::load) continue;
    Operands operands{p, n, views[size_t(v)], {}};
    for (Value in : n.in) operands.in.push_back(in == none ? TensorView{} : views[size_t(in)]);
    body(operands);
  }
}

// Stands for memory where an op is bound only to learn what it takes.
std::byte* nowhere() { return reinterpret_cast<std::byte*>(uintptr_t{1} << 20); }

class HostExecutable : public Executable {
 public:
  HostExecutable(HostBackend& backend, Program program, WeightStore& store, CompileOptions options)
      : program_(std::move(program)), footprint_(backend.footprint(program_, options)), budget_(backend.shared_memory()),
        memory_(std::max<int64_t>(footprint_.total(), 1)) {
    auto weight = [&](Value v) {
      weights_.push_back(store.get(program_, v));
      return weights_.back().get();
    };
    views_ = place(program_, lay_out(program_, options), memory_.data(), weight);
    for_ops(program_, views_, [&](const Operands& o) {
      Scratch scratch(memory_.data() + footprint_.activations);
      launches_[size_t(o.node.rate)].push_back(backend.bind(o, scratch));
    });
  }
  ~HostExecutable() override { rest(); }

  void run(Rate section) override {
    wake();
    for (const Launch& launch : launches_[size_t(section)]) launch();
    if (section == Rate::step)
      for (auto c : program_.carries) copy_rows(view(c.to), view(c.from));
  }

  void rest() noexcept override {
    if (!std::exchange(awake_, false)) return;
    memory_.decommit();
    budget_->give_back(footprint_.total());
  }

  void write(const std::string& input, std::span<const std::byte> from) override {
    Value v = find(input, from.size());
    require(program_[v].op == Op::input, ErrorKind::internal, "write: {} is not an input", input);
    wake();
    std::memcpy(view(v).data, from.data(), from.size());
  }

  void read(const std::string& value, std::span<std::byte> to) override {
    const TensorView& from = view(find(value, to.size()));
    require(from.data && awake_, ErrorKind::internal, "read: {} is not kept", value);
    copy_rows({to.data(), from.shape.c, from.shape, from.dtype}, from);
  }

  const Program& program() const override { return program_; }

 private:
  const TensorView& view(Value v) const { return views_[size_t(v)]; }

  Value find(const std::string& name, size_t bytes) const {
    Value v = program_.find(name);
    require(v != none, ErrorKind::internal, "there is no value named {}", name);
    require(size_t(byte_size(program_[v])) == bytes, ErrorKind::internal, "{}: {} bytes given, {} expected", name, bytes, byte_size(program_[v]));
    return v;
  }

  void wake() {
    if (awake_) return;
    budget_->take(footprint_.total());
    try {
      memory_.commit();
    } catch (...) {
      budget_->give_back(footprint_.total());
      throw;
    }
    awake_ = true;
    // Bytes of 0xff are NaN in every float type: a value that no kernel wrote cannot pass for a result.
    std::memset(memory_.data(), 0xff, size_t(footprint_.activations));
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
  Footprint footprint_;
  std::shared_ptr<MemoryBudget> budget_;
  PageRange memory_;  // inputs, activations, scratch; holds memory while awake
  bool awake_ = false;
  std::vector<TensorView> views_;
  std::vector<Buffer> weights_;
  std::vector<Launch> launches_[3];  // by rate; load stays empty
};

constexpr int64_t kAlign = 64, kPages = int64_t{1} << 20;  // smaller buffers come from malloc

std::shared_ptr<void> allocate_host(int64_t bytes) {
  if (bytes >= kPages) {
    auto pages = std::make_shared<PageRange>(bytes);
    pages->commit();
    return {pages, pages->data()};
  }
  int64_t rounded = (std::max<int64_t>(bytes, 1) + kAlign - 1) / kAlign * kAlign;
  void* data = std::aligned_alloc(kAlign, size_t(rounded));
  require(data, ErrorKind::out_of_memory, "host memory: the system refuses {} bytes", rounded);
  return {data, std::free};
}
}  // namespace

Buffer HostBackend::allocate(int64_t bytes) {
  budget_->take(bytes);
  std::shared_ptr<void> taken(nullptr, [budget = budget_, bytes](void*) { budget->give_back(bytes); });
  std::shared_ptr<void> data = allocate_host(bytes);
  auto both = std::make_shared<std::pair<std::shared_ptr<void>, std::shared_ptr<void>>>(std::move(taken), data);
  return {std::shared_ptr<void>(both, data.get()), bytes};
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

Footprint HostBackend::footprint(const Program& p, CompileOptions options) const {
  Layout layout = lay_out(p, options);
  Footprint footprint{.activations = layout.bytes};
  if (layout.bytes > budget_->limit()) return footprint;  // it cannot run, and kernels may not know such sizes
  std::vector<TensorView> views = place(p, layout, nowhere(), [](Value) { return nowhere(); });
  for_ops(p, views, [&](const Operands& o) {
    Scratch scratch(nowhere());
    bind(o, scratch);
    footprint.scratch = std::max(footprint.scratch, scratch.used());
  });
  return footprint;
}

Buffer HostBackend::evaluate(const Program& p, const Node& n, std::span<const Buffer> in) {
  Buffer out = allocate(byte_size(n));
  Operands operands{p, n, view_of(n, out.get()), {}};
  for (size_t k = 0; k < in.size(); ++k) operands.in.push_back(in[k] ? view_of(p[n.in[k]], in[k].get()) : TensorView{});
  Scratch measure(nowhere());
  bind(operands, measure);
  Buffer memory = allocate(measure.used());
  Scratch scratch(memory.get());
  bind(operands, scratch)();
  return out;
}

std::unique_ptr<Executable> HostBackend::compile(Program program, WeightStore& store, CompileOptions options) {
  verify(program, this);
  return std::make_unique<HostExecutable>(*this, std::move(program), store, options);
}

}  // namespace hayate
