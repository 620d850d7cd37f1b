// Finding out what oneDNN can do here; launches made of several.
#include "backend/cpu/context.h"

namespace hayate::cpu {

namespace {
// That oneDNN keeps beside those in use, as they are compiled once to be planned and once to run. Its own number, 1024, took 200 MiB with the built-in
// model, in blocks between which memory never became free again.
constexpr int kept_primitives = 256;

bool has_bf16_matmul(const dnnl::engine& engine) {
  dnnl::memory::desc square({64, 64}, dnnl::memory::data_type::bf16, dnnl::memory::format_tag::ab);
  return bool(dnnl::matmul::primitive_desc(dnnl::matmul::desc(square, square, square), engine, /*allow_empty=*/true));
}
Launch bind_step(Op op, const Context& context, const Operands& of, Scratch& scratch, const TensorView& out, std::vector<TensorView> in) {
  Node node{.op = op, .shape = out.shape, .dtype = out.dtype, .name = of.node.name};
  return bind_kernel(context.isa, {of.program, node, out, std::move(in)}, scratch);
}
}  // namespace

Context::Context(Isa isa, int64_t staged_elements) : isa(isa), onednn_has_bf16(has_bf16_matmul(engine)), staged_elements(staged_elements) {
  dnnl::set_primitive_cache_capacity(kept_primitives);
}

Launch bind_cast(const Context& context, const Operands& of, Scratch& scratch, const TensorView& out, const TensorView& in) {
  return bind_step(Op::cast, context, of, scratch, out, {in});
}
Launch bind_add(const Context& context, const Operands& of, Scratch& scratch, const TensorView& out, const TensorView& a, const TensorView& b) {
  return bind_step(Op::add, context, of, scratch, out, {a, b});
}

Launch in_order(std::vector<Launch> launches) {
  if (launches.size() == 1) return std::move(launches.front());
  return [launches = std::move(launches)] {
    for (const Launch& launch : launches) launch();
  };
}

}  // namespace hayate::cpu
