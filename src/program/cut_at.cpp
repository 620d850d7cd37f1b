// The input moves to where the value was made.
#include "program/cut_at.h"

#include <algorithm>

#include "core/error.h"

namespace hayate {

Program cut_at(Program p, Value at, Value input) {
  require(p[input].op == Op::input && p[input].shape == p[at].shape && p[input].rate == Rate::step, ErrorKind::internal,
          "cut at {}: {} is no step input of its shape", p[at].name, p[input].name);
  std::erase_if(p.carries, [&](const Program::Carry& c) { return c.to == input; });
  Value moved = none;
  return rewrite(p, [&](Program& out, Value old, Node n) {
    if (old != at && old != input) return out.add(std::move(n));
    if (moved == none) moved = out.add(p[input]);
    return moved;
  });
}

}  // namespace hayate
