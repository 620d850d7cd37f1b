// Binding, capturing, running, and what the host writes and reads.
#include "backend/cuda/executable.h"

#include <algorithm>
#include <cstring>

#include "backend/cuda/status.h"
#include "core/error.h"
#include "program/region.h"

namespace hayate::cuda {

namespace {
constexpr int64_t kAlignment = 256;  // of memory that cuBLASLt is given to work in

// Integers are written by the host, so the host can check them; a kernel could not throw. By value; empty where nothing reads it as integers.
std::vector<IntegerCheck> integer_checks(const Program& p) {
  std::vector<IntegerCheck> checks(size_t(p.size()));
  auto indices = [&](Value v, int64_t limit) {
    checks[size_t(v)] = [limit, name = p[v].name](std::span<const int32_t> written) {
      for (int32_t i : written) require(i >= 0 && i < limit, ErrorKind::usage, "{}: index {} is outside 0..{}", name, i, limit - 1);
    };
  };
  for (const Node& n : p.nodes()) {
    if (n.op == Op::embedding) indices(n.in[0], p[n.in[1]].shape.rows());
    if (n.op == Op::take_token) indices(n.in[1], p[n.in[0]].shape.tokens());
    if (n.op == Op::group_statistics && n.in[1] != none)
      checks[size_t(n.in[1])] = [image = p[n.in[0]].shape, name = n.name](std::span<const int32_t> r) {
        hayate::check(Region{r[0], r[1], r[2], r[3]}, image, name);
      };
  }
  return checks;
}
}  // namespace

CudaExecutable::CudaExecutable(std::shared_ptr<Context> context, std::vector<Program> programs, WeightStore& store, CompileOptions options)
    : context_(std::move(context)), programs_(std::move(programs)), layout_(lay_out(programs_, options)) {
  context_->device->use();  // to bind is to measure
  workspace_begins_ = (layout_.bytes + kAlignment - 1) / kAlignment * kAlignment;
  bound_.reserve(programs_.size());
  for (size_t t = 0; t < programs_.size(); ++t) {
    const Program& p = programs_[t];
    auto weight = [&](Value v) {
      weights_.push_back(store.get(p, v));
      return weights_.back().get();
    };
    bound_.push_back({.views = place(p, layout_.offsets[t], context_->device->arena(), weight), .moments = RowMoments(p), .columns = SummedColumns(p, context_->capability), .integer_checks = integer_checks(p)});
    bind_all(p, bound_.back(), {options.tf32});
  }
  StepTables none{};
  step_tables_ = context_->device->allocate(sizeof(StepTables));
  context_->device->upload(step_tables_.get(), std::as_bytes(std::span(&none, 1)));
  wake();  // a graph is only made where the memory that it clears or copies is there
  for (size_t t = programs_.size(); t-- > 0;) {
    select(t);
    for (Rate section : {Rate::prompt, Rate::step})
      if (!bound().launches[size_t(section)].empty()) make_graph(section, options.capture);
  }
  context_->device->synchronize();
  rest();
}

CudaExecutable::~CudaExecutable() {
  rest();
  context_->device->use();
  cudaStreamSynchronize(context_->stream());
  for (const Bound& b : bound_)
    for (cudaGraphExec_t graph : b.graphs)
      if (graph) cudaGraphExecDestroy(graph);
}

void CudaExecutable::bind_all(const Program& p, Bound& bound, BindOptions options) {
  for (Value v = 0; v < p.size(); ++v) {
    if (!runs(p[v])) continue;
    const Operands operands = operands_of(p, bound.views, v);
    const BindOptions own = bound.columns.options_for(operands, v, *context_, bound.moments.options_for(operands, v, *context_, options));
    Launch launch = bind(operands, *context_, own);
    require(launch.workspace <= kMostWorkspace, ErrorKind::internal, "{}: {} bytes of workspace", p[v].name, launch.workspace);
    workspace_bytes_ = std::max(workspace_bytes_, launch.workspace);
    bound.launches[size_t(p[v].rate)].push_back(std::move(launch));
  }
  context_->algorithms->save();
}

void CudaExecutable::wake() {
  Device& device = *context_->device;
  device.use();
  if (device.has_arena(this)) return;
  device.take_arena(this, workspace_begins_ + workspace_bytes_);
  // Bytes of 0xff are NaN in every float type: a value that no kernel wrote cannot pass for a result.
  device.set(device.arena(), std::byte{0xff}, layout_.bytes);
}

void CudaExecutable::enqueue(Rate section) {
  cudaStream_t s = context_->stream();
  if (section == Rate::step && !program().ends_step) launch_take_step(s, reinterpret_cast<StepTables*>(step_tables_.get()));
  for (const Launch& launch : bound().launches[size_t(section)]) launch.enqueue(workspace());
  if (section == Rate::step)
    for (auto c : program().carries) launch_copy(s, matrix_of(bound().views[size_t(c.to)]), matrix_of(bound().views[size_t(c.from)]));
  check(cudaGetLastError(), "starting a kernel");
}

cudaGraph_t CudaExecutable::capture(Rate section) {
  cudaStream_t s = context_->stream();
  cudaGraph_t graph = nullptr;
  check(cudaStreamBeginCapture(s, cudaStreamCaptureModeThreadLocal), "capturing a graph");
  try {
    enqueue(section);
  } catch (...) {
    cudaStreamEndCapture(s, &graph);  // leaves the stream usable
    if (graph) cudaGraphDestroy(graph);
    throw;
  }
  check(cudaStreamEndCapture(s, &graph), "capturing a graph");
  return graph;
}

// A graph also tells how much a section starts, so one is made even where it is not kept.
void CudaExecutable::make_graph(Rate section, bool keep) {
  cudaGraph_t graph = capture(section);
  Bound& bound = bound_[selected_];
  size_t nodes = 0;
  cudaError_t counted = cudaGraphGetNodes(graph, nullptr, &nodes), made = cudaSuccess;
  bound.launch_counts[size_t(section)] = int(nodes);
  if (keep) made = cudaGraphInstantiate(&bound.graphs[size_t(section)], graph, 0);
  cudaGraphDestroy(graph);
  check(counted, "counting the launches of a graph");
  check(made, "instantiating a graph");
  if (keep) check(cudaGraphUpload(bound.graphs[size_t(section)], context_->stream()), "uploading a graph");
}

std::vector<double> CudaExecutable::profile(Rate section, int times) {
  wake();
  return seconds_by_value(program(), section, [&](size_t i) {
    return context_->seconds([&] { bound().launches[size_t(section)][i].enqueue(workspace()); }, times);
  });
}

void CudaExecutable::run(Rate section) {
  wake();
  if (cudaGraphExec_t graph = bound().graphs[size_t(section)])
    check(cudaGraphLaunch(graph, context_->stream()), "launching a graph");
  else
    enqueue(section);
}

void CudaExecutable::check_integers(InputPlace input, std::span<const std::byte> bytes) const {
  const IntegerCheck& is_right = bound_[input.program].integer_checks[size_t(input.value)];
  if (!is_right) return;
  std::vector<int32_t> integers(bytes.size() / sizeof(int32_t));
  std::memcpy(integers.data(), bytes.data(), integers.size() * sizeof(int32_t));
  is_right(integers);
}

void CudaExecutable::write(const std::string& input, std::span<const std::byte> from) {
  const InputPlace place = find_input(programs_, input, from.size());
  check_integers(place, from);
  context_->device->upload(ready_to_write(place), from);
}

// Only what the pipeline computed comes this way: numbers, no indices.
void CudaExecutable::write(const std::string& input, const Buffer& from) {
  context_->device->copy(ready_to_write(find_input(programs_, input, size_t(from.bytes))), from.get(), from.bytes);
}

void* CudaExecutable::ready_to_write(InputPlace place) {
  void* to = address_of(place);
  wake();
  if (std::erase_if(held_tables_, [&](const HeldTable& t) { return t.input == to; })) upload_tables();
  return to;
}

void CudaExecutable::write_steps(const std::string& input, std::span<const std::byte> values, int steps) {
  void* to = address_of(find_input(programs_, input, values.size() / size_t(steps)));
  wake();
  std::erase_if(held_tables_, [&](const HeldTable& t) { return t.input == to; });
  require(held_tables_.size() < kStepTables, ErrorKind::internal, "{}: more than {} inputs with a value for each step", input, kStepTables);
  held_tables_.push_back({to, int64_t(values.size()) / steps, steps, context_->device->allocate(int64_t(values.size()))});
  context_->device->upload(held_tables_.back().values.get(), values);
  upload_tables();
}

void CudaExecutable::upload_tables() {
  StepTables tables{};
  for (const HeldTable& t : held_tables_)
    tables.table[tables.count++] = {t.input, t.values.get(), t.bytes, t.rows};
  context_->device->upload(step_tables_.get(), std::as_bytes(std::span(&tables, 1)));
}

void CudaExecutable::gather(const std::string& input, std::span<const std::shared_ptr<Executable>> from, const std::string& value) {
  const auto source = [&](size_t k) -> CudaExecutable& { return dynamic_cast<CudaExecutable&>(*from[k]); };
  const Program& p = from[0]->program();
  const int64_t each = byte_size(p[p.find(value)]);
  auto* to = static_cast<std::byte*>(address_of(find_input(programs_, input, size_t(each) * from.size())));
  wake();
  for (size_t k = 0; k < from.size(); ++k, to += each) {
    const Value v = find_value(source(k).program(), value, size_t(each));
    context_->device->copy_from(*source(k).context_->device, to, source(k).bound().views[size_t(v)].data, each);
  }
}

const TensorView& CudaExecutable::kept_view(const std::string& value, size_t bytes) const {
  const TensorView& view = bound().views[size_t(find_value(program(), value, bytes))];
  require(view.data && context_->device->has_arena(this), ErrorKind::internal, "read: {} is not kept", value);
  return view;
}

void CudaExecutable::read(const std::string& value, std::span<std::byte> to) {
  const TensorView& from = kept_view(value, to.size());
  if (from.packed_rows()) return context_->device->download(to, from.data);
  const Buffer packed = context_->device->allocate(int64_t(to.size()));
  read(value, packed);
  context_->device->download(to, packed.get());
}

void CudaExecutable::read(const std::string& value, const Buffer& to) {
  const TensorView& from = kept_view(value, size_t(to.bytes));
  context_->device->use();
  launch_copy(context_->stream(), matrix_of({to.get(), from.shape.c, from.shape, from.dtype}), matrix_of(from));
  check(cudaGetLastError(), "starting a kernel");
}

}  // namespace hayate::cuda
