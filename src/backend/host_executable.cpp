// Memory and launch lists of host backends.
#include "backend/host_executable.h"

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "backend/placement.h"
#include "backend/take_floats.h"
#include "core/error.h"
#include "core/page_range.h"
#include "core/system_memory.h"
#include "program/streamed_values.h"

namespace hayate {

namespace {
constexpr int64_t kAlign = 64;

// Stands for memory where an op is bound only to learn what it takes.
std::byte* nowhere() { return reinterpret_cast<std::byte*>(uintptr_t{1} << 20); }

// What the largest of the values takes that one place is made for, in turn.
int64_t window_bytes(const HostBackend& backend, std::span<const Program> programs, const CompileOptions& options) {
  int64_t most = 0;
  for (const Program& p : programs) {
    const std::vector<bool> streamed = options.stream_weights ? streamed_values(p) : std::vector<bool>(size_t(p.size()), false);
    for (Value v = 0; v < p.size(); ++v)
      if (streamed[size_t(v)]) most = std::max(most, backend.prepared_bytes(p, p[v]));
  }
  return (most + kAlign - 1) / kAlign * kAlign;
}

class HostExecutable : public Executable {
 public:
  HostExecutable(HostBackend& backend, std::vector<Program> programs, WeightStore& store, CompileOptions options)
      : programs_(std::move(programs)), footprint_(backend.footprint(programs_, options)), budget_(backend.shared_memory()),
        memory_(std::max<int64_t>(footprint_.total(), 1)) {
    const Layout layout = lay_out(programs_, options);
    std::byte* const window = memory_.data() + footprint_.activations;
    const int64_t window_size = window_bytes(backend, programs_, options);
    for (size_t t = 0; t < programs_.size(); ++t) {
      const Program& p = programs_[t];
      const std::vector<bool> streamed = options.stream_weights ? streamed_values(p) : std::vector<bool>(size_t(p.size()), false);
      auto weight = [&](Value v) {
        if (streamed[size_t(v)]) return window;
        weights_.push_back(store.get(p, v));
        return weights_.back().get();
      };
      Bound& bound = bound_.emplace_back(Bound{.views = place(p, layout.offsets[t], memory_.data(), weight), .launches = {}});
      for (Value v = 0; v < p.size(); ++v) {
        if (!runs(p[v])) continue;
        Scratch scratch(window + window_size);
        Launch launch = backend.bind(operands_of(p, bound.views, v), scratch);
        for (Value w : p[v].in)
          if (w != none && streamed[size_t(w)]) launch = after_streaming(store, p, w, {{std::shared_ptr<void>(), window}, backend.prepared_bytes(p, p[w])}, std::move(launch));
        bound.launches[size_t(p[v].rate)].push_back(std::move(launch));
      }
    }
  }
  ~HostExecutable() override { rest(); }

  void select(size_t program) override { selected_ = program; }
  size_t programs() const override { return programs_.size(); }

  void run(Rate section) override {
    wake();
    if (section == Rate::step && !program().ends_step)
      for (StepTable& table : tables_) table.take();
    for (const Launch& launch : launches_of(section)) launch();
    if (section == Rate::step)
      for (auto c : program().carries) copy_rows(view(c.to), view(c.from));
  }

  void rest() noexcept override {
    if (!std::exchange(awake_, false)) return;
    memory_.decommit();
    budget_->give_back(footprint_.total());
  }

  void wait() override {}

  void write(const std::string& input, std::span<const std::byte> from) override {
    void* to = find(input, from.size());
    wake();
    drop_table(to);
    std::memcpy(to, from.data(), from.size());
  }

  void write(const std::string& input, const Buffer& from) override { write(input, {from.get(), size_t(from.bytes)}); }
  void read(const std::string& value, const Buffer& to) override { read(value, {to.get(), size_t(to.bytes)}); }

  void write_steps(const std::string& input, std::span<const std::byte> values, int steps) override {
    void* to = find(input, values.size() / size_t(steps));
    wake();
    drop_table(to);
    tables_.push_back({static_cast<std::byte*>(to), values.size() / size_t(steps), {values.begin(), values.end()}});
  }

  void read(const std::string& value, std::span<std::byte> to) override {
    const TensorView& from = view(find_value(program(), value, to.size()));
    require(from.data && awake_, ErrorKind::internal, "read: {} is not kept", value);
    copy_rows({to.data(), from.shape.c, from.shape, from.dtype}, from);
  }

  void gather(const std::string& input, std::span<const std::shared_ptr<Executable>> from, const std::string& value) override {
    std::vector<std::byte> all;
    for (const auto& source : from) {
      const Program& p = source->program();
      const size_t begin = all.size(), bytes = size_t(byte_size(p[p.find(value)]));
      all.resize(begin + bytes);
      source->read(value, std::span(all).subspan(begin));
    }
    write(input, all);
  }

  const Program& program() const override { return programs_[selected_]; }
  int launches(Rate section) const override { return int(launches_of(section).size()); }

  std::vector<double> profile(Rate section, int times) override {
    wake();
    return seconds_by_value(program(), section, [&](size_t i) {
      double least = INFINITY;
      for (int k = 0; k < times; ++k) {
        auto begin = std::chrono::steady_clock::now();
        launches_of(section)[i]();
        least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
      }
      return least;
    });
  }

 private:
  // The values of one input at the coming runs of the step section.
  struct StepTable {
    std::byte* to;
    size_t each;
    std::vector<std::byte> values;
    size_t next = 0;

    void take() {
      if (next == values.size()) return;
      std::memcpy(to, values.data() + next, each);
      next += each;
    }
  };
  void drop_table(const void* to) {
    std::erase_if(tables_, [&](const StepTable& t) { return t.to == to; });
  }

  static Launch after_streaming(WeightStore& store, const Program& p, Value weight, Buffer to, Launch launch) {
    return [&store, &p, weight, to = std::move(to), launch = std::move(launch)] {
      store.stream(p, weight, to);
      launch();
    };
  }

  void* find(const std::string& input, size_t bytes) const {
    const InputPlace place = find_input(programs_, input, bytes);
    return bound_[place.program].views[size_t(place.value)].data;
  }
  const TensorView& view(Value v) const { return bound_[selected_].views[size_t(v)]; }
  const std::vector<Launch>& launches_of(Rate section) const { return bound_[selected_].launches[size_t(section)]; }

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

  struct Bound {
    std::vector<TensorView> views;
    std::vector<Launch> launches[3];  // by rate; load stays empty
  };

  std::vector<Program> programs_;
  size_t selected_ = 0;
  Footprint footprint_;
  std::shared_ptr<MemoryBudget> budget_;
  PageRange memory_;  // inputs, activations, scratch; holds memory while awake
  bool awake_ = false;
  std::vector<Bound> bound_;  // of each program
  std::vector<Buffer> weights_;
  std::vector<StepTable> tables_;
};

constexpr int64_t kPages = int64_t{1} << 20;  // smaller buffers come from malloc

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

void HostBackend::copy(const Buffer& to, const Buffer& from) {
  require(to.bytes == from.bytes, ErrorKind::internal, "copy: {} bytes into a buffer of {}", from.bytes, to.bytes);
  std::memcpy(to.get(), from.get(), size_t(from.bytes));
}

bool HostBackend::take(const Buffer& to, int64_t width, const DeviceArray& from, float factor) {
  require(from.gpu < 0, ErrorKind::usage, "numbers of GPU {}; expected numbers of the host, where the pipeline computes", from.gpu);
  return take_floats({reinterpret_cast<float*>(to.get()), size_t(to.bytes) / sizeof(float)}, width, from, factor);
}

void WeightStore::stream(const Program& p, Value v, const Buffer&) { fail(ErrorKind::internal, "{}: this store does not stream", p[v].name); }

int64_t HostBackend::memory_left() const { return available_memory(); }

Footprint HostBackend::footprint(std::span<const Program> turns, CompileOptions options) const {
  const Layout layout = lay_out(turns, options);
  Footprint footprint{.activations = layout.bytes};
  if (layout.bytes > budget_->limit()) return footprint;  // it cannot run, and kernels may not know such sizes
  for (size_t t = 0; t < turns.size(); ++t) {
    const Program& p = turns[t];
    const std::vector<TensorView> views = place(p, layout.offsets[t], nowhere(), [](Value) { return nowhere(); });
    for (Value v = 0; v < p.size(); ++v) {
      if (!runs(p[v])) continue;
      Scratch scratch(nowhere());
      bind(operands_of(p, views, v), scratch);
      footprint.scratch = std::max(footprint.scratch, scratch.used());
    }
  }
  footprint.scratch += window_bytes(*this, turns, options);
  return footprint;
}

void HostBackend::evaluate(const Program& p, const Node& n, std::span<const Buffer> in, const Buffer& out) {
  Operands operands{p, n, packed_view(n, out.get()), {}};
  for (size_t k = 0; k < in.size(); ++k) operands.in.push_back(in[k] ? packed_view(p[n.in[k]], in[k].get()) : TensorView{});
  Scratch measure(nowhere());
  bind(operands, measure);
  Buffer memory = allocate(measure.used());
  Scratch scratch(memory.get());
  bind(operands, scratch)();
}

std::unique_ptr<Executable> HostBackend::compile_turns(std::vector<Program> programs, WeightStore& store, CompileOptions options) {
  for (const Program& p : programs) verify(p, this);
  return std::make_unique<HostExecutable>(*this, std::move(programs), store, options);
}

}  // namespace hayate
