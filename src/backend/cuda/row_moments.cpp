// Which linears write the moments of their result, and where.
#include "backend/cuda/row_moments.h"

namespace hayate::cuda {

namespace {
// The value that n normalises, if a linear makes it; else `none`.
Value made_for(const Program& p, const Node& n) {
  if (n.op != Op::linear || n.rate == Rate::load || n.as<LinearAttr>().normalise == 0) return none;
  const Node& made = p[n.in[0]];
  return made.op == Op::linear && made.as<LinearAttr>().activation == Activation::none ? n.in[0] : none;
}
int64_t bytes_of(const Node& n) { return moments_bytes(n.shape.rows(), n.shape.c); }
}  // namespace

RowMoments::RowMoments(const Program& p) {
  for (const Node& n : p.nodes())
    if (Value v = made_for(p, n); v != none) parts_[v];
}

int64_t RowMoments::bytes(const Program& p) {
  int64_t sum = 0;
  for (const auto& [v, parts] : RowMoments(p).parts_) sum += bytes_of(p[v]);
  return sum;
}

BindOptions RowMoments::options_for(const Operands& o, Value v, const Context& context, BindOptions options) {
  if (auto own = parts_.find(v); own != parts_.end()) {
    own->second = context.device->allocate(bytes_of(o.node));
    options.y_moments = reinterpret_cast<float2*>(own->second.get());
  }
  if (Value x = made_for(o.program, o.node); x != none) options.x_moments = reinterpret_cast<const float2*>(parts_.at(x).get());
  return options;
}

}  // namespace hayate::cuda
