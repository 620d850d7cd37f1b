// The CPU backend: oneDNN for linear and conv2d, kernels of our own for the rest.
#include "backend/cpu/cpu_backend.h"

#include <cmath>

#include "backend/cpu/measured.h"
#include "backend/cpu/packing.h"
#include "backend/cpu/panels.h"
#include "core/error.h"

namespace hayate {

namespace cpu {
namespace {
bool is_float(Dtype t) { return t == Dtype::f32 || t == Dtype::bf16; }

class CpuBackend : public HostBackend {
 public:
  CpuBackend(Isa isa, int64_t staged_elements) : context_(isa, staged_elements) {}

  const char* name() const override { return "cpu"; }
  std::string description() const override { return fmt::format("cpu, {}, {} threads", name_of(context_.isa), omp_get_max_threads()); }

  bool supports(const Program& p, const Node& n) const override {
    switch (n.op) {
      case Op::timestep_embedding: case Op::guidance: case Op::mimic: case Op::scheduler_row: return n.dtype == Dtype::f32;
      case Op::cast: case Op::group_statistics: return is_float(n.dtype) && is_float(p[n.in[0]].dtype);
      case Op::conv2d:
        if (is_quantized(p[n.in[0]].dtype)) return is_float(n.dtype) && convolves_quantized(p, n);
        return is_float(n.dtype) && is_float(p[n.in[0]].dtype) && (n.as<ConvAttr>().upsample == 1 || n.in[3] == none);
      case Op::linear: {
        const auto& a = n.as<LinearAttr>();
        const Node& x = p[n.in[0]];
        const bool takes_x = is_float(x.dtype) || (has_quantized(x.dtype) && x.shape.c <= kMostQuantizedIn);
        return is_float(n.dtype) && takes_x && (a.activation != Activation::geglu || gates(p, n)) && a.normalise == 0;
      }
      case Op::quantize: return has_quantized(n.dtype) && is_float(p[n.in[0]].dtype) && !(n.as<QuantizeAttr>().whole && n.as<QuantizeAttr>().normalise > 0);
      case Op::scale_columns: case Op::row_dots: case Op::row_sums: case Op::bound: return false;
      default: return is_float(n.dtype);
    }
  }
  bool has_quantized(Dtype t) const override { return t == Dtype::i8; }
  double seconds(const Program& p, const Node& n) const override { return supports(p, n) ? measured_.seconds(*this, p, n) : INFINITY; }
  bool packs(const Program& p, const Node& consumer) const override { return gains_from_packing(context_, p, consumer); }

  using Backend::evaluate;
  void evaluate(const Program& p, const Node& n, std::span<const Buffer> in, const Buffer& out) override {
    n.op == Op::pack ? pack(n, in[0], out) : HostBackend::evaluate(p, n, in, out);
  }
  int64_t prepared_bytes(const Program& p, const Node& n) const override {
    if (n.op != Op::pack) return HostBackend::prepared_bytes(p, n);
    if (takes_panels(context_, n.shape, n.dtype)) return Panels(n.shape, n.dtype, nullptr).bytes();
    return int64_t(packed_layout(context_, consumer_of(n.shape), n.shape, n.dtype).get_size());
  }

  Launch bind(const Operands& o, Scratch& scratch) const override {
    switch (o.node.op) {
      case Op::linear: return bind_linear(o, context_, scratch);
      case Op::conv2d: return bind_conv2d(o, context_, scratch);
      case Op::concat: case Op::stack: case Op::repeat: case Op::upsample_nearest: case Op::pad: case Op::embedding: case Op::take_token: return bind_copy(o);
      case Op::timestep_embedding: return bind_timestep_embedding(o);
      case Op::guidance: return bind_guidance(o);
      case Op::mimic: return bind_mimic(o);
      case Op::scheduler_row: return bind_scheduler_row(o);
      default: return bind_kernel(context_.isa, o, scratch);
    }
  }

 private:
  // With one scale for an image, and odd kernels of stride 1 whose result is as large as the image.
  bool convolves_quantized(const Program& p, const Node& n) const {
    const Node& x = p[n.in[0]];
    const Shape& w = p[n.in[1]].shape;
    const auto& a = n.as<ConvAttr>();
    const bool same = w.h == w.w && w.h % 2 == 1 && a.pad_begin == w.h / 2 && a.pad_end == w.h / 2 && a.stride == 1 && a.upsample == 1;
    return has_quantized(x.dtype) && x.op == Op::quantize && x.as<QuantizeAttr>().whole && same && w.h * w.w * w.c <= kMostQuantizedIn;
  }
  // Where products of two panels are computed together, those of what is gated and of its gate.
  bool gates(const Program& p, const Node& n) const {
    const Node& weight = p[n.in[1]];
    const bool multiplies = takes_panels(context_, weight.shape, weight.dtype) && weight.dtype == p[n.in[0]].dtype;
    return context_.isa == Isa::avx512_amx && multiplies && n.shape.c % kPanelColumns == 0;
  }
  void pack(const Node& n, const Buffer& plain, const Buffer& out) {
    if (takes_panels(context_, n.shape, n.dtype)) return pack_panels(packed_view(n, plain.get()), {n.shape, n.dtype, out.get()});
    const Op consumer = consumer_of(n.shape);
    Layout from = plain_layout(consumer, n.shape, n.dtype), to = packed_layout(context_, consumer, n.shape, n.dtype);  // larger: blocks are padded with zeros
    dnnl::memory source(from, context_.engine, plain.get()), target(to, context_.engine, out.get());
    dnnl::stream stream(context_.engine);
    dnnl::reorder(source, target).execute(stream, source, target);
  }

  Context context_;
  MeasuredOps measured_;
};
}  // namespace
}  // namespace cpu

std::shared_ptr<Backend> make_cpu_backend(cpu::Isa isa, int64_t staged_elements) { return std::make_shared<cpu::CpuBackend>(isa, staged_elements); }
std::shared_ptr<Backend> make_cpu_backend() { return make_cpu_backend(cpu::best_isa()); }

}  // namespace hayate
