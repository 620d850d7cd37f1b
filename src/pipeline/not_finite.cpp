// Looking at every value costs memory and time, so it is done once it is known that there is something to find.
#include "pipeline/not_finite.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "core/error.h"
#include "core/finite.h"
#include "core/parallel.h"
#include "pipeline/read_floats.h"

namespace hayate {

bool all_finite(const std::vector<float>& values) {
  std::atomic<bool> finite = true;
  parallel_for(int64_t(values.size()), 1 << 16, [&](int64_t begin, int64_t end) {
    if (!all_finite(std::as_bytes(std::span(values).subspan(size_t(begin), size_t(end - begin))), Dtype::f32)) finite = false;
  });
  return finite;
}

namespace {
// Masked attention scores are -inf, and meant to be.
bool as_it_should(const Node& n, const std::vector<float>& values) {
  if (n.op != Op::attention_scores) return all_finite(values);
  return std::ranges::all_of(values, [](float x) { return std::isfinite(x) || x == -INFINITY; });
}

// "; the first such value is NAME, made by OP", or nothing.
std::string first_value(const std::function<std::shared_ptr<Executable>()>& repeat) {
  if (!repeat) return "";
  try {
    std::shared_ptr<Executable> exec = repeat();
    const Program& p = exec->program();
    for (Value v = 0; v < p.size(); ++v) {
      const Node& n = p[v];
      const bool computed = n.rate != Rate::load && p[root_of(p, v).value].op != Op::input;  // a carry has overwritten its input
      if (!computed || is_quantized(n.dtype) || as_it_should(n, read_floats(*exec, v))) continue;
      return fmt::format("; the first such value is {}, made by {}", n.name, name_of(n.op));
    }
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::out_of_memory) throw;
  }
  return "";
}
}  // namespace

void fail_not_finite(const std::string& what, const std::function<std::shared_ptr<Executable>()>& repeat) {
  fail(ErrorKind::not_finite, "{} holds a value that is not finite{}", what, first_value(repeat));
}

void require_finite(const std::vector<float>& values, const std::string& what, const std::function<std::shared_ptr<Executable>()>& repeat) {
  if (!all_finite(values)) fail_not_finite(what, repeat);
}

}  // namespace hayate
