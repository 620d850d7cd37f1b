// The text form of a Program.
#include "core/error.h"
#include "program/program.h"

namespace hayate {

std::string print(const Program& p) {
  std::string text;
  for (Value i = 0; i < p.size(); ++i) {
    const Node& n = p[i];
    std::string inputs;
    for (Value v : n.in) inputs += v == none ? " -" : " %" + std::to_string(v);
    text += fmt::format("%{} = {} {} {} {} {}{}{}\n", i, name_of(n.op), name_of(n.dtype), to_string(n.shape), name_of(n.rate), n.name,
                        inputs.empty() ? "" : " <-" + inputs, to_string(n.attr));
  }
  for (Value v : p.outputs) text += fmt::format("output %{} {}\n", v, p[v].name);
  for (auto c : p.carries) text += fmt::format("carry %{} -> %{} {}\n", c.from, c.to, p[c.to].name);
  return text;
}

}  // namespace hayate
