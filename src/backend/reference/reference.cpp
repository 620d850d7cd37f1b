// The reference backend: reads every input as float32, computes, rounds the result to its type.
#include "backend/host_executable.h"
#include "backend/reference/ops.h"
#include "core/error.h"

namespace hayate {

namespace {
using reference::Tensor;

// Calls f with a pointer of the element's type.
template <class F>
void with_row(const TensorView& v, int64_t r, F f) {
  switch (v.dtype) {
    case Dtype::f32: return f(v.row<float>(r));
    case Dtype::f16: return f(v.row<f16>(r));
    case Dtype::bf16: return f(v.row<bf16>(r));
    case Dtype::i32: return f(v.row<int32_t>(r));
    case Dtype::i8: return f(v.row<int8_t>(r));
    case Dtype::f8: return f(v.row<f8_e4m3>(r));
  }
}

float load(int32_t x) { return float(x); }
template <class T> float load(T x) { return to_float(x); }

Tensor load(const TensorView& v) {
  if (!v.data) return {};
  Tensor t{v.shape, std::vector<float>(size_t(v.shape.count()))};
  for (int64_t r = 0; r < v.shape.rows(); ++r)
    with_row(v, r, [&](auto* from) {
      const float scale = is_quantized(v.dtype) ? v.scales()[r] : 1;
      for (int64_t c = 0; c < v.shape.c; ++c) t.row(r)[c] = load(from[c]) * scale;
    });
  return t;
}

// Of numbers that are to be quantized; NaN if one of them is.
float scale_of(const float* row, int64_t count, Dtype t) {
  float largest = 0;
  for (int64_t c = 0; c < count; ++c) {
    if (std::isnan(row[c])) return row[c];
    largest = std::max(largest, std::abs(row[c]));
  }
  return largest / largest_of(t);
}

// `given`: the scale of a result in eight bits that does not find its own; else each `together` rows find one.
void store(const Tensor& t, const TensorView& v, const float* given, int64_t together) {
  for (int64_t r = 0; r < v.shape.rows(); ++r)
    with_row(v, r, [&]<class T>(T* to) {
      if constexpr (std::is_same_v<T, int32_t>)
        fail(ErrorKind::internal, "no op makes integers");
      else {
        float scale = 1;
        if (is_quantized(v.dtype)) v.scales()[r] = scale = given ? *given : scale_of(t.row(r / together * together), together * v.shape.c, v.dtype);
        for (int64_t c = 0; c < v.shape.c; ++c) to[c] = from_float<T>(scale == 0 ? 0 : t.row(r)[c] / scale);
      }
    });
}

class ReferenceBackend : public HostBackend {
 public:
  const char* name() const override { return "reference"; }
  bool supports(const Program&, const Node& n) const override { return n.dtype != Dtype::i32; }
  bool has_quantized(Dtype) const override { return true; }
  bool packs(const Program&, const Node&) const override { return false; }
  Launch bind(const Operands& o, Scratch&) const override {
    return [node = o.node, in = o.in, out = o.out] {
      std::vector<Tensor> inputs;
      for (const TensorView& v : in) inputs.push_back(load(v));
      const bool given = is_quantized(out.dtype) && node.op != Op::quantize;
      const int64_t together = node.op == Op::quantize && node.as<QuantizeAttr>().whole ? out.shape.h * out.shape.w : 1;
      store(reference::compute(node, inputs), out, given ? inputs.back().row(0) : nullptr, together);
    };
  }
};
}  // namespace

std::shared_ptr<Backend> make_reference_backend() { return std::make_shared<ReferenceBackend>(); }

}  // namespace hayate
