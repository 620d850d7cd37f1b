// The largest load value of every op, unless another op reads it beside a larger one.
#include "program/streamed_values.h"

namespace hayate {

std::vector<bool> streamed_values(const Program& p) {
  std::vector<bool> streamed(size_t(p.size()), false), stays(size_t(p.size()), false);
  for (const Node& n : p.nodes()) {
    if (n.rate == Rate::load) continue;
    Value largest = none;
    for (Value v : n.in)
      if (v != none && p[v].rate == Rate::load && byte_size(p[v]) >= kStreamedBytes && (largest == none || byte_size(p[v]) > byte_size(p[largest]))) largest = v;
    for (Value v : n.in)
      if (v != none && p[v].rate == Rate::load) (v == largest ? streamed : stays)[size_t(v)] = true;
  }
  for (Value v = 0; v < p.size(); ++v)
    if (stays[size_t(v)] || p[v].op == Op::input) streamed[size_t(v)] = false;
  return streamed;
}

}  // namespace hayate
