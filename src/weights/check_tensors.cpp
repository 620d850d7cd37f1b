// Names first, then shapes.
#include "weights/check_tensors.h"

#include <map>

#include "core/error.h"
#include "core/json.h"
#include "weights/describe_tensors.h"

namespace hayate {
namespace {

std::string text(const std::vector<int64_t>& dims) { return fmt::format("({})", fmt::join(dims, ", ")); }

std::string expected(const Shape& s) {
  if (s.n == 1 && s.h == 1 && s.w == 1) return text({s.c});
  if (s.n == 1 && s.h == 1) return text({s.w, s.c});
  return text({s.n, s.c, s.h, s.w});
}

std::map<std::string, Shape> weights_of(const std::vector<Program>& programs) {
  std::map<std::string, Shape> weights;
  for (const Program& p : programs)
    for (const Node& n : p.nodes())
      if (n.op == Op::weight) weights.emplace(n.name, n.shape);
  return weights;
}

}  // namespace

bool fits(const std::vector<int64_t>& dims, const Shape& s) {
  switch (dims.size()) {
    case 1: return s == Shape{1, 1, 1, dims[0]};
    case 2: return s == Shape{1, 1, dims[0], dims[1]};
    case 4: return s == Shape{dims[0], dims[2], dims[3], dims[1]} || (dims[2] == 1 && dims[3] == 1 && s == Shape{1, 1, dims[0], dims[1]});
    default: return false;
  }
}

void check_tensors(const TensorSource& source, const std::vector<Program>& needed, const std::vector<Program>& allowed, const std::string& what) {
  constexpr size_t listed = 20;
  std::vector<std::string> wrong;
  const std::map<std::string, Shape> weights = weights_of(needed), others = weights_of(allowed);
  for (const auto& [name, shape] : weights) {
    if (!source.has(name))
      wrong.push_back(fmt::format("{} is missing", name));
    else if (const std::vector<int64_t> dims = source.dims(name); !fits(dims, shape))
      wrong.push_back(fmt::format("{} is {}, expected {}", name, text(dims), expected(shape)));
  }
  for (const std::string& name : source.names())
    if (!weights.contains(name) && !others.contains(name)) wrong.push_back(fmt::format("{} is unknown", excerpt(name)));
  const size_t count = wrong.size();
  wrong.resize(std::min(count, listed));
  require(count == 0, ErrorKind::bad_model, "{}: {} tensors do not fit its config:\n  {}{}\nThe tensors look like {}", what, count,
          fmt::join(wrong, "\n  "), count > listed ? fmt::format("\n  ... and {} more", count - listed) : "", describe_tensors(source));
  for (const auto& [name, shape] : weights) static_cast<void>(source.dtype(name));  // its error names an integer
}

}  // namespace hayate
