// A product that is added to a weight is a linear with the weight as its residual, so every device has the kernels for it.
#include "weights/add_product.h"

namespace hayate {

namespace {
// Ops computed one after the other, each at once.
class Calculation {
 public:
  explicit Calculation(Backend& backend) : backend_(backend) {}

  Value put(Shape shape, Dtype dtype, Buffer bytes) {
    buffers_.push_back(std::move(bytes));
    return program_.add({.op = Op::weight, .shape = shape, .dtype = dtype, .rate = Rate::load, .name = next_name()});
  }
  Value put(Shape shape, std::span<const float> values) {
    const std::span<const std::byte> bytes = std::as_bytes(values);
    return put(shape, Dtype::f32, backend_.fill(int64_t(bytes.size()), [&](std::span<std::byte> out) { std::ranges::copy(bytes, out.begin()); }));
  }
  Value compute(Op op, std::vector<Value> in, Dtype dtype) {
    if (op == Op::cast && program_[in[0]].dtype == dtype) return in[0];
    Node n{.op = op, .in = std::move(in), .dtype = dtype, .rate = Rate::load, .name = next_name()};
    if (op == Op::linear) n.attr = LinearAttr{};
    const Value made = program_.add(std::move(n));
    std::vector<Buffer> operands;
    for (Value v : program_[made].in) operands.push_back(v == none ? Buffer{} : buffers_[size_t(v)]);
    buffers_.push_back(backend_.evaluate(program_, program_[made], operands));
    return made;
  }
  const Buffer& operator[](Value v) const { return buffers_[size_t(v)]; }

 private:
  std::string next_name() const { return std::to_string(program_.size()); }

  Backend& backend_;
  Program program_;
  std::vector<Buffer> buffers_;  // by value
};

Shape vector_of(int64_t count) { return {1, 1, 1, count}; }
}  // namespace

bool AddProduct::takes(const Program& p, const Node& n) const {
  if (n.op == Op::scale_columns || n.op == Op::row_dots) return takes(p, p[n.in[0]]);
  return n.op == Op::weight && source_.is_split(n.name);
}

Buffer AddProduct::sum_of(const Node& weight, const Check& finite) const {
  const SplitTensor split = source_.split(weight.name);
  Dtype stored = split.stored->dtype(weight.name);  // which takes less time to bring to a device than float32
  if (stored == Dtype::f16 && !backend_.has_f16()) stored = Dtype::f32;
  const int64_t rows = int64_t(split.left.size()) / split.rank, columns = int64_t(split.right.size()) / split.rank;
  Calculation c(backend_);
  const Value plain = c.put({1, 1, rows, columns}, stored, backend_.fill(rows * columns * size_of(stored), [&](std::span<std::byte> out) {
    split.stored->read(weight.name, stored, out, 0);
    finite(weight, out, stored);
  }));
  const Value left = c.put({1, 1, rows, split.rank}, split.left), right = c.put({1, 1, columns, split.rank}, split.right);
  return c[c.compute(Op::linear, {left, right, none, c.compute(Op::cast, {plain}, Dtype::f32)}, Dtype::f32)];
}

Buffer AddProduct::read(const Node& vector, const Check& finite) const {
  return backend_.fill(vector.shape.count() * size_of(Dtype::f32), [&](std::span<std::byte> out) {
    source_.read(vector.name, Dtype::f32, out, 0);
    finite(vector, out, Dtype::f32);
  });
}

Buffer AddProduct::make(const Program& p, const Node& n, const Check& finite) const {
  const Node& weight = n.op == Op::weight ? n : p[n.in[0]];
  const Shape shape{1, 1, weight.shape.count() / weight.shape.c, weight.shape.c};
  Calculation c(backend_);
  const Value sum = c.put(shape, Dtype::f32, sum_of(weight, finite));
  if (n.op == Op::weight) return c[c.compute(Op::cast, {sum}, n.dtype)];
  const Value factors = c.put(vector_of(shape.c), Dtype::f32, read(p[n.in[1]], finite));
  if (n.op == Op::scale_columns) return c[c.compute(Op::cast, {c.compute(Op::mul, {sum, factors}, Dtype::f32)}, n.dtype)];
  const Value added = n.in[2] == none ? none : c.put(vector_of(shape.w), Dtype::f32, read(p[n.in[2]], finite));
  return c[c.compute(Op::linear, {factors, sum, added, none}, Dtype::f32)];
}

}  // namespace hayate
