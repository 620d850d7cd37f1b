// Reading tensors into the Program's layout and running load ops.
#include "weights/prepared_weights.h"

#include <cstring>

#include "core/error.h"
#include "core/parallel.h"

namespace hayate {

namespace {
// What a load value is made of, e.g. "stack f32(to_q.weight bf16,to_k.weight bf16)".
std::string key_of(const Program& p, Value v) {
  const Node& n = p[v];
  if (n.op == Op::weight) return n.name + " " + name_of(n.dtype);
  std::string key = fmt::format("{} {}{}(", name_of(n.op), name_of(n.dtype), to_string(n.attr));
  for (Value in : n.in) key += key_of(p, in) + ",";
  return key + ")";
}

// How stored dimensions become a Program's weight: (c), (rows, c), or (out, in, kh, kw) with channels last.
bool fits(const std::vector<int64_t>& dims, const Shape& s) {
  switch (dims.size()) {
    case 1: return s == Shape{1, 1, 1, dims[0]};
    case 2: return s == Shape{1, 1, dims[0], dims[1]};
    case 4: return s == Shape{dims[0], dims[2], dims[3], dims[1]} || (dims[2] == 1 && dims[3] == 1 && s == Shape{1, 1, dims[0], dims[1]});
    default: return false;
  }
}

// (out, in, area) -> (out, area, in)
template <class T>
void channels_last(const T* from, T* to, int64_t out, int64_t in, int64_t area) {
  parallel_for(out, 1, [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o)
      for (int64_t i = 0; i < in; ++i)
        for (int64_t a = 0; a < area; ++a) to[(o * area + a) * in + i] = from[(o * in + i) * area + a];
  });
}

std::string text(const std::vector<int64_t>& dims) {
  std::string t;
  for (int64_t d : dims) t += (t.empty() ? "" : ", ") + std::to_string(d);
  return "(" + t + ")";
}

std::string expected(const Shape& s) {
  if (s.n == 1 && s.h == 1 && s.w == 1) return text({s.c});
  if (s.n == 1 && s.h == 1) return text({s.w, s.c});
  return text({s.n, s.c, s.h, s.w});
}
}  // namespace

Buffer PreparedWeights::get(const Program& p, Value v) {
  auto [found, fresh] = kept_.try_emplace(key_of(p, v));
  if (fresh) {
    try {
      found->second = make(p, v);
    } catch (...) {
      kept_.erase(found);
      throw;
    }
    bytes_ += found->second.bytes;
  }
  return found->second;
}

Buffer PreparedWeights::make(const Program& p, Value v) {
  const Node& n = p[v];
  if (n.op == Op::weight) return load_tensor(n);
  std::vector<Buffer> in;
  for (Value i : n.in) {
    auto kept = i == none ? kept_.end() : kept_.find(key_of(p, i));
    in.push_back(i == none ? Buffer{} : kept != kept_.end() ? kept->second : make(p, i));
  }
  return backend_->evaluate(p, n, in);
}

Buffer PreparedWeights::load_tensor(const Node& n) {
  require(source_->has(n.name), ErrorKind::bad_model, "{}: tensor {} is missing", what_, n.name);
  std::vector<int64_t> dims = source_->dims(n.name);
  require(fits(dims, n.shape), ErrorKind::bad_model, "{}: tensor {} is {}, expected {}", what_, n.name, text(dims), expected(n.shape));
  std::vector<std::byte> host(size_t(byte_size(n)));
  source_->read(n.name, n.dtype, host);
  if (int64_t area = dims.size() == 4 ? dims[2] * dims[3] : 1; area > 1) {
    std::vector<std::byte> turned(host.size());
    if (size_of(n.dtype) == 2)
      channels_last(reinterpret_cast<const uint16_t*>(host.data()), reinterpret_cast<uint16_t*>(turned.data()), n.shape.n, n.shape.c, area);
    else
      channels_last(reinterpret_cast<const uint32_t*>(host.data()), reinterpret_cast<uint32_t*>(turned.data()), n.shape.n, n.shape.c, area);
    host = std::move(turned);
  }
  Buffer buffer = backend_->allocate(int64_t(host.size()));
  backend_->upload(buffer, host);
  return buffer;
}

void PreparedWeights::check(const Program& p) const {
  constexpr int kListed = 20;
  int wrong = 0;
  std::string list;
  for (const Node& n : p.nodes()) {
    if (n.op != Op::weight) continue;
    bool missing = !source_->has(n.name);
    if (!missing && fits(source_->dims(n.name), n.shape)) continue;
    if (++wrong > kListed) continue;
    list += missing ? fmt::format("\n  {} is missing", n.name)
                    : fmt::format("\n  {} is {}, expected {}", n.name, text(source_->dims(n.name)), expected(n.shape));
  }
  require(wrong == 0, ErrorKind::bad_model, "{}: {} tensors do not fit its config:{}{}", what_, wrong, list,
          wrong > kListed ? fmt::format("\n  ... and {} more", wrong - kListed) : "");
}

}  // namespace hayate
