// What an op sees when it is bound: addresses, strides and attributes of everything it reads and writes.
#pragma once
#include <vector>

#include "program/program.h"

namespace hayate {

// A value's bytes. Rows are n*h*w; a column slice of a wider value has row_stride > shape.c.
struct TensorView {
  void* data = nullptr;
  int64_t row_stride = 0;  // elements
  Shape shape = {};
  Dtype dtype = Dtype::f32;

  template <class T> T* row(int64_t r) const { return static_cast<T*>(data) + r * row_stride; }
  bool packed_rows() const { return row_stride == shape.c; }
  float* scales() const { return reinterpret_cast<float*>(static_cast<std::byte*>(data) + scales_offset(shape)); }  // of a quantized value
};

// A value whose rows are packed, at `data`.
inline TensorView packed_view(const Node& n, void* data) { return {data, n.shape.c, n.shape, n.dtype}; }

// One op with everything resolved. Absent optional inputs have data == nullptr.
struct Operands {
  const Program& program;
  const Node& node;
  TensorView out;
  std::vector<TensorView> in;

  bool has(size_t k) const { return k < in.size() && in[k].data; }
  Op made_by(size_t k) const { return program[node.in[k]].op; }  // Op::pack: in[k].data is in the backend's own layout
};

}  // namespace hayate
