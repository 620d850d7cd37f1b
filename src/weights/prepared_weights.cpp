// Reading tensors into the Program's layout and running load ops.
#include "weights/prepared_weights.h"

#include <algorithm>
#include <unordered_set>

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

// (count, in, area) -> (count, area, in)
template <class T>
void channels_last(std::span<const std::byte> from, std::span<std::byte> to, int64_t count, int64_t in, int64_t area) {
  auto source = reinterpret_cast<const T*>(from.data());
  auto target = reinterpret_cast<T*>(to.data());
  for (int64_t o = 0; o < count; ++o)
    for (int64_t a = 0; a < area; ++a)
      for (int64_t i = 0; i < in; ++i) target[(o * area + a) * in + i] = source[(o * in + i) * area + a];
}

// Whether no element is infinite or NaN, which have every bit of the exponent set. The largest exponent is found without a branch, and
// by signed integers, so that the loop becomes vectors on every processor.
template <class Bits>
bool all_below(std::span<const std::byte> bytes, Bits exponent) {
  auto elements = reinterpret_cast<const Bits*>(bytes.data());
  Bits largest = 0;
  for (size_t i = 0; i < bytes.size() / sizeof(Bits); ++i) largest = std::max(largest, Bits(elements[i] & exponent));
  return largest < exponent;
}
bool all_finite(std::span<const std::byte> bytes, Dtype dtype) {
  switch (dtype) {
    case Dtype::f32: return all_below<int32_t>(bytes, 0x7f800000);
    case Dtype::f16: return all_below<int16_t>(bytes, 0x7c00);
    case Dtype::bf16: return all_below<int16_t>(bytes, 0x7f80);
    case Dtype::i32: break;
  }
  return true;
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
  const std::string key = key_of(p, v);
  if (auto found = kept_.find(key); found != kept_.end()) return found->second;
  return keep(key, make(p, v));
}

Buffer PreparedWeights::keep(const std::string& key, Buffer made) {
  auto [kept, fresh] = kept_.emplace(key, std::move(made));
  if (fresh) bytes_ += kept->second.bytes;
  return kept->second;
}

void PreparedWeights::prepare(const Program& p) {
  std::vector<Value> missing;
  for (Value v : needed_load_values(p))
    if (!kept_.contains(key_of(p, v))) missing.push_back(v);
  std::ranges::stable_sort(missing, std::greater(), [&](Value v) { return byte_size(p[v]); });  // so that no thread is left with a large one
  std::vector<Buffer> made(missing.size());
  parallel_tasks(int64_t(missing.size()), [&](int64_t i) { made[size_t(i)] = make(p, missing[size_t(i)]); });
  for (size_t i = 0; i < missing.size(); ++i) keep(key_of(p, missing[i]), std::move(made[i]));
}

PreparedWeights::Need PreparedWeights::need(const Program& p) const {
  std::unordered_set<std::string> added;
  std::vector<int64_t> loading;
  Need need;
  for (Value v : needed_load_values(p)) {
    const std::string key = key_of(p, v);
    if (kept_.contains(key) || !added.insert(key).second) continue;
    need.bytes += backend_->prepared_bytes(p, p[v]);
    loading.push_back(loading_bytes(p, v));
  }
  std::ranges::sort(loading, std::greater());
  for (size_t i = 0; i < std::min(loading.size(), size_t(omp_get_max_threads())); ++i) need.loading += loading[i];
  return need;
}

// What making v takes beside v: the values it is evaluated from.
int64_t PreparedWeights::loading_bytes(const Program& p, Value v) const {
  if (writes_in_place(p, v)) return 0;
  int64_t bytes = 0;
  for (Value in : p[v].in)
    if (in != none && !kept_.contains(key_of(p, in))) bytes += backend_->prepared_bytes(p, p[in]) + loading_bytes(p, in);
  return bytes;
}

void PreparedWeights::release() {
  kept_.clear();
  bytes_ = 0;
}

bool PreparedWeights::writes_in_place(const Program& p, Value v) const {
  const Node& n = p[v];
  return n.op == Op::weight || (n.op == Op::stack && std::ranges::all_of(n.in, [&](Value part) {
           return writes_in_place(p, part) && !kept_.contains(key_of(p, part));
         }));
}

void PreparedWeights::write(const Program& p, Value v, std::span<std::byte> out) const {
  const Node& n = p[v];
  if (n.op == Op::weight) return load_tensor(n, out);
  for (Value part : n.in) {
    size_t bytes = size_t(byte_size(p[part]));
    write(p, part, out.first(bytes));
    out = out.subspan(bytes);
  }
}

Buffer PreparedWeights::make(const Program& p, Value v) const {
  const Node& n = p[v];
  if (writes_in_place(p, v)) return backend_->fill(byte_size(n), [&](std::span<std::byte> out) { write(p, v, out); });
  std::vector<Buffer> in;
  for (Value i : n.in) {
    auto kept = i == none ? kept_.end() : kept_.find(key_of(p, i));
    in.push_back(i == none ? Buffer{} : kept != kept_.end() ? kept->second : make(p, i));
  }
  return backend_->evaluate(p, n, in);
}

void PreparedWeights::load_tensor(const Node& n, std::span<std::byte> out) const {
  require(source_->has(n.name), ErrorKind::bad_model, "{}: tensor {} is missing", what_, n.name);
  std::vector<int64_t> dims = source_->dims(n.name);
  require(fits(dims, n.shape), ErrorKind::bad_model, "{}: tensor {} is {}, expected {}", what_, n.name, text(dims), expected(n.shape));
  const int64_t size = size_of(n.dtype), area = dims.size() == 4 ? dims[2] * dims[3] : 1;
  // Pieces of about this many elements are still in the cache when they are turned and checked. A filter is never cut.
  constexpr int64_t piece = int64_t{1} << 16;
  const int64_t unit = area > 1 ? n.shape.c * area : 1, units = n.shape.count() / unit, step = std::max<int64_t>(1, piece / unit);
  parallel_for(units, 2 * step, [&](int64_t begin, int64_t end) {
    std::vector<std::byte> filters(area > 1 ? size_t(std::min(step, end - begin) * unit * size) : 0);
    for (int64_t from = begin, count; from < end; from += count) {
      count = std::min(step, end - from);
      std::span<std::byte> target = out.subspan(size_t(from * unit * size), size_t(count * unit * size));
      std::span<std::byte> read = area > 1 ? std::span(filters).first(target.size()) : target;
      source_->read(n.name, n.dtype, read, from * unit);
      require(all_finite(read, n.dtype), ErrorKind::not_finite, "{}: tensor {} holds a value that is not finite in {}", what_, n.name,
              name_of(n.dtype));
      if (area > 1) (size == 2 ? channels_last<uint16_t> : channels_last<uint32_t>)(read, target, count, n.shape.c, area);
    }
  });
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
