// A product that is added to a weight is a linear with the weight as its residual, so every device has the kernels for it.
#include "weights/device_tensors.h"

#include "core/parallel.h"
#include "core/stopwatch.h"
#include "weights/require_finite.h"

namespace hayate {

namespace {
const Node& tensor_of(const Program& p, const Node& n) { return n.op == Op::weight ? n : p[n.in[0]]; }
Shape matrix_of(const Node& tensor) { return {1, 1, tensor.shape.rows(), tensor.shape.c}; }

// Ops computed one after the other, each at once.
class Calculation {
 public:
  explicit Calculation(Backend& backend) : backend_(backend) {}

  Value put(Shape shape, Dtype dtype, Buffer bytes) {
    buffers_.push_back(std::move(bytes));
    return program_.add({.op = Op::weight, .shape = shape, .dtype = dtype, .name = next_name()});
  }
  Value compute(Op op, std::vector<Value> in, Dtype dtype, Buffer out = {}) {
    Node n{.op = op, .in = std::move(in), .dtype = dtype, .name = next_name()};
    if (op == Op::linear) n.attr = LinearAttr{};
    const Value made = program_.add(std::move(n));
    std::vector<Buffer> operands;
    for (Value v : program_[made].in) operands.push_back(v == none ? Buffer{} : buffers_[size_t(v)]);
    if (!out) out = backend_.allocate(backend_.prepared_bytes(program_, program_[made]));
    backend_.evaluate(program_, program_[made], operands, out);
    buffers_.push_back(std::move(out));
    return made;
  }
  Value as_floats(Value v) { return program_[v].dtype == Dtype::f32 ? v : compute(Op::cast, {v}, Dtype::f32); }
  void copy(Value v, Dtype dtype, const Buffer& out) {
    if (program_[v].dtype == dtype) return backend_.copy(out, buffers_[size_t(v)]);
    compute(Op::cast, {v}, dtype, out);
  }

 private:
  std::string next_name() const { return std::to_string(program_.size()); }

  Backend& backend_;
  Program program_;
  std::vector<Buffer> buffers_;  // by value
};
}  // namespace

bool DeviceTensors::takes(const Program& p, const Node& n) const {
  if (n.op != Op::weight && n.op != Op::scale_columns && n.op != Op::row_dots) return false;
  const std::string& name = tensor_of(p, n).name;
  const std::optional<int64_t> rank = source_.added_rank(name);
  return rank && (*rank > 0 || originals_.has(name));
}

std::vector<const Node*> DeviceTensors::tensors_of(const Program& p, const Node& n) const {
  std::vector<const Node*> tensors = {&tensor_of(p, n)};
  for (size_t k = 1; k < n.in.size(); ++k)
    if (n.in[k] != none) tensors.push_back(&p[n.in[k]]);
  return tensors;
}

// As it is stored, which takes the least time to bring; vectors as ops want them.
Dtype DeviceTensors::dtype_of(const Node& tensor) const {
  const Dtype stored = source_.dtype(tensor.name);
  return tensor.shape.rows() == 1 || (stored == Dtype::f16 && !backend_.has_f16()) ? Dtype::f32 : stored;
}

int64_t DeviceTensors::bringing_bytes(const Node& tensor) const {
  const int64_t rank = source_.added_rank(tensor.name).value_or(0);
  return (originals_.has(tensor.name) ? 0 : tensor.shape.count() * size_of(dtype_of(tensor))) +
         rank * (tensor.shape.rows() + tensor.shape.c) * size_of(Dtype::f32);
}

int64_t DeviceTensors::making_bytes(const Program& p, const Node& n) const {
  const Node& tensor = tensor_of(p, n);
  const int64_t sum = tensor.shape.count() * size_of(Dtype::f32);
  return source_.added_rank(tensor.name).value_or(0) == 0 ? 0 : dtype_of(tensor) == Dtype::f32 ? sum : 2 * sum;
}

DeviceTensors::Tensor DeviceTensors::read(const Node& n) const {
  Tensor tensor;
  const SplitTensor split = source_.added_rank(n.name).value_or(0) > 0 ? source_.split(n.name) : SplitTensor{&source_, 0, {}, {}};
  const Dtype dtype = dtype_of(n);
  tensor.stored = originals_.get(n.name, dtype, n.shape.count(), [&](std::span<std::byte> out) {
    split.stored->read(n.name, dtype, out, 0);
    require_finite(what_, n.name, out, dtype);
  });
  auto put = [&](const std::vector<float>& values) {
    const std::span<const std::byte> bytes = std::as_bytes(std::span(values));
    return backend_.fill(int64_t(bytes.size()), [&](std::span<std::byte> out) { std::ranges::copy(bytes, out.begin()); });
  };
  tensor.rank = split.rank;
  if (tensor.rank > 0) tensor.left = put(split.left), tensor.right = put(split.right);
  return tensor;
}

void DeviceTensors::bring(const std::vector<const Node*>& tensors) {
  Stopwatch watch;
  brought_.clear();
  std::map<std::string, const Node*> once;
  int64_t rows = 0;
  for (const Node* n : tensors) once.emplace(n->name, n), rows += n->shape.rows();
  const std::vector<std::pair<std::string, const Node*>> all(once.begin(), once.end());
  std::vector<Tensor> made(all.size());
  parallel_tasks(int64_t(all.size()), [&](int64_t i) { made[size_t(i)] = read(*all[size_t(i)].second); });
  for (size_t i = 0; i < all.size(); ++i) brought_.emplace(all[i].first, std::move(made[i]));
  if (!backend_.is_host()) sums_.push_back({.floats = backend_.allocate(rows * size_of(Dtype::f32)), .parts = {}});
  seconds_bringing_ += watch.lap();
}

void DeviceTensors::make(const Program& p, const Node& n, const Buffer& out) {
  const Node& weight = tensor_of(p, n);
  const Tensor& tensor = brought_.at(weight.name);
  const Shape shape = matrix_of(weight);
  Calculation c(backend_);
  Value sum = c.put(shape, tensor.stored.dtype, tensor.stored.bytes);
  if (tensor.rank > 0) {
    const Value left = c.put({1, 1, shape.w, tensor.rank}, Dtype::f32, tensor.left), right = c.put({1, 1, shape.c, tensor.rank}, Dtype::f32, tensor.right);
    sum = c.compute(Op::linear, {left, right, none, c.as_floats(sum)}, Dtype::f32);
  }
  if (n.op == Op::weight) {
    c.copy(sum, n.dtype, out);
  } else {
    std::vector<Value> in = {sum};
    for (size_t k = 1; k < n.in.size(); ++k)
      in.push_back(n.in[k] == none ? none : c.put(p[n.in[k]].shape, Dtype::f32, brought_.at(p[n.in[k]].name).stored.bytes));
    c.compute(n.op, std::move(in), n.dtype, out);
  }
  if (n.op != Op::row_dots) look_at(weight, n.dtype, out);
}

void DeviceTensors::look_at(const Node& tensor, Dtype dtype, const Buffer& made) {
  if (backend_.is_host()) return require_finite(what_, tensor.name, {made.get(), size_t(made.bytes)}, dtype);
  const Shape shape = matrix_of(tensor);
  Buffer sums{.data = nullptr, .bytes = shape.w * size_of(Dtype::f32)};
  {
    std::lock_guard lock(mutex_);
    RowSums& all = sums_.back();
    sums.data = {all.floats.data, all.floats.get() + all.used};
    all.used += sums.bytes;
    all.parts.push_back({tensor.name, dtype, shape.w});
  }
  Calculation c(backend_);
  c.compute(Op::row_sums, {c.put(shape, dtype, made)}, Dtype::f32, sums);
}

void DeviceTensors::finish() {
  brought_.clear();
  for (const RowSums& sums : sums_) {
    std::vector<float> values(size_t(sums.used) / sizeof(float));
    backend_.download(std::as_writable_bytes(std::span(values)), sums.floats);
    const float* row = values.data();
    for (const RowSums::Part& part : sums.parts) {
      require_finite(what_, part.tensor, all_finite(std::as_bytes(std::span(row, size_t(part.rows))), Dtype::f32), part.dtype);
      row += part.rows;
    }
  }
  sums_.clear();
}

}  // namespace hayate
