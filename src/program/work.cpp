// Counts by op.
#include "program/work.h"

namespace hayate {

double flops_of(const Program& p, const Node& n) {
  auto in = [&](size_t k) { return p[n.in[k]].shape; };
  switch (n.op) {
    case Op::linear: return 2.0 * double(n.shape.rows()) * double(in(1).w) * double(in(0).c);
    case Op::conv2d: return 2.0 * double(n.shape.count()) * double(in(1).h * in(1).w * in(1).c);
    case Op::attention: return 2.0 * double(n.shape.rows()) * double(in(1).tokens()) * double(in(0).c + in(2).c);
    case Op::attention_scores: return 2.0 * double(in(0).rows()) * double(in(1).tokens()) * double(in(0).c);
    case Op::attention_mix: return 2.0 * double(n.shape.rows()) * double(in(1).tokens()) * double(in(1).c);
    default: return 0;
  }
}

bool is_narrow(const Program& p, const Node& n) { return (n.op == Op::linear || n.op == Op::conv2d) && is_quantized(p[n.in[0]].dtype); }

double bytes_of(const Program& p, const Node& n) {
  double bytes = double(byte_size(n));
  for (Value v : n.in)
    if (v != none) bytes += double(byte_size(p[v]));
  return bytes;
}

double flops_of(const Program& p, Rate section) {
  double sum = 0;
  for (const Node& n : p.nodes())
    if (n.rate == section) sum += flops_of(p, n);
  return sum;
}

}  // namespace hayate
