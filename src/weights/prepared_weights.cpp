// Reading tensors into the Program's layout and running load ops.
#include "weights/prepared_weights.h"

#include <algorithm>
#include <functional>
#include <map>
#include <unordered_set>

#include "core/convert.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/stopwatch.h"
#include "program/fold_nearest.h"
#include "program/row_dot.h"
#include "program/streamed_values.h"
#include "weights/check_tensors.h"
#include "weights/device_tensors.h"
#include "weights/require_finite.h"

namespace hayate {

namespace {
constexpr int64_t kPiece = int64_t{1} << 16;  // so many elements are still in the cache when they are turned and checked
constexpr int64_t kBroughtAtOnce = int64_t{256} << 20;  // bytes of tensors and factors of LoRAs, before values are made of them

// What a load value is made of, e.g. "stack f32(to_q.weight bf16,to_k.weight bf16)".
std::string key_of(const Program& p, Value v) {
  const Node& n = p[v];
  if (n.op == Op::weight) return n.name + " " + name_of(n.dtype);
  std::string key = fmt::format("{} {}{}(", name_of(n.op), name_of(n.dtype), to_string(n.attr));
  for (Value in : n.in) key += (in == none ? "none" : key_of(p, in)) + ",";
  return key + ")";
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

// What these load values are made of, and nothing else.
std::shared_ptr<const Program> load_section(const Program& p, const std::vector<Value>& values) {
  Program load = p;
  load.outputs = values;
  load.carries.clear();
  return std::make_shared<const Program>(drop_dead(load));
}

}  // namespace

Buffer PreparedWeights::get(const Program& p, Value v) {
  const std::string key = key_of(p, v);
  if (auto found = kept_.find(key); found != kept_.end()) return found->second.buffer;
  DeviceTensors on_device = device_tensors();
  std::vector<Making> made = {making(p, v, on_device)};
  make_all(made, on_device);
  on_device.finish();
  return keep(key, std::move(made[0].out), load_section(p, {v}), p[v].name);
}

Buffer PreparedWeights::keep(const std::string& key, Buffer made, const std::shared_ptr<const Program>& load, const std::string& name) {
  auto [kept, fresh] = kept_.emplace(key, Kept{std::move(made), load, load->find(name)});
  if (fresh) bytes_ += kept->second.buffer.bytes;
  return kept->second.buffer;
}

void PreparedWeights::stream(const Program& p, Value v, const Buffer& out) {
  DeviceTensors on_device = device_tensors();
  if (const Making m = making(p, v, on_device, out); !m.tensors.empty()) on_device.bring(m.tensors);
  const std::vector<bool> streamed = streamed_values(p);
  const auto next = std::find(streamed.begin() + v + 1, streamed.end(), true);  // values come in the order in which ops read them
  if (next != streamed.end()) announce(p, Value(next - streamed.begin()));
  make(p, v, out, on_device);
  on_device.finish();
}

void PreparedWeights::announce(const Program& p, Value v) const {
  if (p[v].op == Op::weight) source_->announce(p[v].name);
  for (Value in : p[v].in)
    if (in != none) announce(p, in);
}

std::vector<Value> PreparedWeights::kept_values(const Program& p) const {
  std::vector<Value> kept = needed_load_values(p);
  if (streams_) std::erase_if(kept, [streamed = streamed_values(p)](Value v) { return streamed[size_t(v)]; });
  return kept;
}

void PreparedWeights::prepare(const Program& p) {
  std::vector<Value> missing;
  for (Value v : kept_values(p))
    if (!kept_.contains(key_of(p, v))) missing.push_back(v);
  if (missing.empty()) return;
  const std::shared_ptr<const Program> load = load_section(p, missing);
  // What is made of others that are kept waits for them.
  const std::unordered_set<Value> all(missing.begin(), missing.end());
  std::vector<Value> waves[2];
  for (Value v : missing) waves[std::ranges::any_of(p[v].in, [&](Value in) { return all.contains(in); })].push_back(v);
  DeviceTensors on_device = device_tensors();
  for (const std::vector<Value>& wave : waves) {
    std::vector<Making> made;
    for (Value v : wave) made.push_back(making(p, v, on_device));
    make_all(made, on_device);
    on_device.finish();
    for (Making& m : made) keep(key_of(p, m.value), std::move(m.out), load, p[m.value].name);
  }
}

PreparedWeights::Making PreparedWeights::making(const Program& p, Value v, const DeviceTensors& on_device, Buffer out) const {
  Making m{.program = &p, .value = v, .out = std::move(out), .tensors = {}};
  find_tensors(p, v, on_device, m.tensors);
  return m;
}

void PreparedWeights::find_tensors(const Program& p, Value v, const DeviceTensors& on_device, std::vector<const Node*>& found) const {
  if (on_device.takes(p, p[v])) {
    const std::vector<const Node*> own = on_device.tensors_of(p, p[v]);
    found.insert(found.end(), own.begin(), own.end());
    return;
  }
  for (Value in : p[v].in)
    if (in != none && !kept_.contains(key_of(p, in))) find_tensors(p, in, on_device, found);
}

void PreparedWeights::make_all(std::vector<Making>& all, DeviceTensors& on_device) const {
  auto make_some = [&](std::span<Making> some) {
    parallel_tasks(int64_t(some.size()), [&](int64_t i) {
      Making& m = some[size_t(i)];
      m.out = make(*m.program, m.value, m.out, on_device);
    });
  };
  auto bringing = std::ranges::stable_partition(all, [](const Making& m) { return m.tensors.empty(); });
  const std::span<Making> others(all.begin(), bringing.begin());
  std::ranges::stable_sort(others, std::greater(), [](const Making& m) { return byte_size((*m.program)[m.value]); });  // so that no thread is left with a large one
  make_some(others);
  std::ranges::stable_sort(bringing, {}, [](const Making& m) { return m.tensors[0]->name; });  // so that a tensor is brought once for all that are made of it
  for (auto begin = bringing.begin(), end = begin; begin != bringing.end(); begin = end) {
    std::vector<const Node*> tensors;
    for (int64_t bytes = 0; end != bringing.end() && bytes < kBroughtAtOnce; ++end)
      for (const Node* n : end->tensors) tensors.push_back(n), bytes += on_device.bringing_bytes(*n);
    on_device.bring(tensors);
    make_some({begin, end});
  }
}

PreparedWeights::Need PreparedWeights::need(const Program& p, std::unordered_set<std::string>& counted) const {
  const DeviceTensors on_device = device_tensors();
  std::vector<int64_t> loading;
  int64_t brought = 0, largest = 0;
  Need need;
  for (Value v : kept_values(p)) {
    const std::string key = key_of(p, v);
    if (kept_.contains(key) || !counted.insert(key).second) continue;
    need.bytes += backend_->prepared_bytes(p, p[v]);
    loading.push_back(loading_bytes(p, v, on_device));
    int64_t own = 0;
    for (const Node* n : making(p, v, on_device).tensors) own += on_device.bringing_bytes(*n);
    brought += own, largest = std::max(largest, own);
  }
  std::ranges::sort(loading, std::greater());
  for (size_t i = 0; i < std::min(loading.size(), size_t(omp_get_max_threads())); ++i) need.loading += loading[i];
  if (brought > 0) need.loading += std::min(brought, kBroughtAtOnce + largest) + backend_->evaluating_bytes();
  const std::vector<bool> streamed = streams_ ? streamed_values(p) : std::vector<bool>();
  for (Value v = 0; v < Value(streamed.size()); ++v) {
    if (!streamed[size_t(v)]) continue;
    int64_t own = loading_bytes(p, v, on_device);
    for (const Node* n : making(p, v, on_device).tensors) own += on_device.bringing_bytes(*n);
    need.streaming = std::max(need.streaming, own);
  }
  return need;
}

// What making v takes beside v and what was brought: the values it is evaluated from.
int64_t PreparedWeights::loading_bytes(const Program& p, Value v, const DeviceTensors& on_device) const {
  const Node& n = p[v];
  if (on_device.takes(p, n)) return on_device.making_bytes(p, n);
  if (n.op == Op::fold_nearest) return p[n.in[0]].shape.count() * int64_t(sizeof(float));
  if (writes_in_place(p, v, on_device)) return 0;
  int64_t all = 0, most = 0;
  for (Value in : n.in)
    if (in != none && !kept_.contains(key_of(p, in))) {
      const int64_t own = loading_bytes(p, in, on_device);
      all += backend_->prepared_bytes(p, p[in]) + own, most = std::max(most, own);
    }
  return n.op == Op::stack ? most : all;  // parts of a stack are made in it, one after another
}

PreparedWeights::Changed PreparedWeights::change(std::shared_ptr<const TensorSource> source, const std::set<std::string>& changed, Originals::Room room) {
  Stopwatch watch;
  source_ = std::move(source);
  originals_.allow(room);
  std::map<int, std::vector<Making>> waves;    // by how many others that are made again each waits for
  std::unordered_map<std::string, int> waits;  // by key; -1: it stays
  std::function<int(const Program&, Value)> wait = [&](const Program& p, Value v) {
    const std::string key = key_of(p, v);
    if (auto known = waits.find(key); known != waits.end()) return known->second;
    int most = p[v].op == Op::weight && changed.contains(p[v].name) ? 0 : -1;
    for (Value in : p[v].in)
      if (in != none)
        if (const int other = wait(p, in); other >= 0) most = std::max(most, other + int(kept_.contains(key_of(p, in))));
    return waits[key] = most;
  };
  DeviceTensors on_device = device_tensors();
  Changed result;
  for (const auto& [key, kept] : kept_)
    if (const int wave = wait(*kept.program, kept.value); wave >= 0) {
      waves[wave].push_back(making(*kept.program, kept.value, on_device, kept.buffer));
      result.bytes += kept.buffer.bytes;
    }
  for (auto& [number, wave] : waves) make_all(wave, on_device);
  result.reading = on_device.seconds_bringing(), result.computing = watch.lap() - result.reading;
  on_device.finish();
  result.waiting = watch.lap();
  result.read = originals_.bytes().read;
  originals_.allow({});
  return result;
}

void PreparedWeights::release() {
  kept_.clear();
  originals_.clear();
  bytes_ = 0;
}

bool PreparedWeights::writes_in_place(const Program& p, Value v, const DeviceTensors& on_device) const {
  const Node& n = p[v];
  const bool read = n.op == Op::weight || n.op == Op::scale_columns || n.op == Op::row_dots;
  return (read && !on_device.takes(p, n)) || n.op == Op::fold_nearest ||
         (n.op == Op::stack && std::ranges::all_of(n.in, [&](Value part) {
           return writes_in_place(p, part, on_device) && !kept_.contains(key_of(p, part));
         }));
}

std::vector<float> PreparedWeights::read_exactly(const Node& n) const {
  std::vector<float> v(size_t(n.shape.count()));
  Node exact = n;
  exact.dtype = Dtype::f32;
  load_tensor(exact, std::as_writable_bytes(std::span(v)));
  return v;
}

// Calls each(first row, rows) with some rows of a matrix in float32, on many threads.
void PreparedWeights::for_rows(const Node& matrix, const std::function<void(int64_t, std::span<const float>)>& each) const {
  const int64_t columns = matrix.shape.c, step = std::max<int64_t>(1, kPiece / columns);
  parallel_for(matrix.shape.w, 2 * step, [&](int64_t begin, int64_t end) {
    std::vector<float> rows(size_t(std::min(step, end - begin) * columns));
    for (int64_t from = begin; from < end; from += step) {
      auto some = std::span(rows).first(size_t(std::min(step, end - from) * columns));
      source_->read(matrix.name, Dtype::f32, std::as_writable_bytes(some), from * columns);
      require_finite(what_, matrix.name, std::as_bytes(some), Dtype::f32);
      each(from, some);
    }
  });
}

void PreparedWeights::scale_columns(const Program& p, const Node& n, std::span<std::byte> out) const {
  const std::vector<float> factors = read_exactly(p[n.in[1]]);
  const size_t columns = factors.size();
  for_rows(p[n.in[0]], [&](int64_t first, std::span<const float> rows) {
    std::vector<float> scaled(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) scaled[i] = rows[i] * factors[i % columns];
    convert(Dtype::f32, std::as_bytes(std::span(scaled)), n.dtype, out.subspan(size_t(first) * columns * size_t(size_of(n.dtype)), rows.size() * size_t(size_of(n.dtype))));
  });
}

void PreparedWeights::row_dots(const Program& p, const Node& n, std::span<std::byte> out) const {
  const std::vector<float> v = read_exactly(p[n.in[1]]), b = n.in[2] == none ? std::vector<float>(size_t(n.shape.c)) : read_exactly(p[n.in[2]]);
  auto* y = reinterpret_cast<float*>(out.data());
  for_rows(p[n.in[0]], [&](int64_t first, std::span<const float> rows) {
    for (size_t at = 0; at < rows.size(); at += v.size(), ++first)
      y[first] = float(row_dot(&rows[at], v.data(), int64_t(v.size())) + b[size_t(first)]);
  });
}

void PreparedWeights::write(const Program& p, Value v, std::span<std::byte> out) const {
  const Node& n = p[v];
  if (n.op == Op::weight) return load_tensor(n, out);
  if (n.op == Op::fold_nearest) return load_folded(p[n.in[0]], n.dtype, out);
  if (n.op == Op::scale_columns) return scale_columns(p, n, out);
  if (n.op == Op::row_dots) return row_dots(p, n, out);
  for (Value part : n.in) {
    size_t bytes = size_t(byte_size(p[part]));
    write(p, part, out.first(bytes));
    out = out.subspan(bytes);
  }
}

Buffer PreparedWeights::make(const Program& p, Value v, Buffer out, DeviceTensors& on_device) const {
  const Node& n = p[v];
  if (writes_in_place(p, v, on_device)) {
    if (out && backend_->is_host()) {
      write(p, v, {out.get(), size_t(byte_size(n))});
      return out;
    }
    Buffer written = backend_->fill(byte_size(n), [&](std::span<std::byte> bytes) { write(p, v, bytes); });
    if (!out) return written;
    backend_->copy(out, written);
    return out;
  }
  if (!out) out = backend_->allocate(backend_->prepared_bytes(p, n));
  auto kept_buffer = [&](Value in) {
    auto kept = kept_.find(key_of(p, in));
    return kept == kept_.end() ? Buffer{} : kept->second.buffer;
  };
  if (on_device.takes(p, n)) {
    on_device.make(p, n, out);
  } else if (n.op == Op::stack) {
    int64_t begin = 0;
    for (Value part : n.in) {
      const Buffer place{{out.data, out.get() + begin}, byte_size(p[part])}, kept = kept_buffer(part);
      if (kept)
        backend_->copy(place, kept);
      else
        make(p, part, place, on_device);
      begin += place.bytes;
    }
  } else {
    std::vector<Buffer> in;
    for (Value i : n.in) {
      Buffer kept = i == none ? Buffer{} : kept_buffer(i);
      in.push_back(i == none || kept ? kept : make(p, i, {}, on_device));
    }
    backend_->evaluate(p, n, in, out);
  }
  return out;
}

void PreparedWeights::load_tensor(const Node& n, std::span<std::byte> out) const {
  const std::vector<int64_t> dims = source_->dims(n.name);
  require(fits(dims, n.shape), ErrorKind::internal, "{}: tensor {} does not fit, and was not checked", what_, n.name);
  const int64_t size = size_of(n.dtype), area = dims.size() == 4 ? dims[2] * dims[3] : 1;
  // A filter is never cut.
  const int64_t unit = area > 1 ? n.shape.c * area : 1, units = n.shape.count() / unit, step = std::max<int64_t>(1, kPiece / unit);
  parallel_for(units, 2 * step, [&](int64_t begin, int64_t end) {
    std::vector<std::byte> filters(area > 1 ? size_t(std::min(step, end - begin) * unit * size) : 0);
    for (int64_t from = begin, count; from < end; from += count) {
      count = std::min(step, end - from);
      std::span<std::byte> target = out.subspan(size_t(from * unit * size), size_t(count * unit * size));
      std::span<std::byte> read = area > 1 ? std::span(filters).first(target.size()) : target;
      source_->read(n.name, n.dtype, read, from * unit);
      require_finite(what_, n.name, read, n.dtype);
      if (area > 1) (size == 2 ? channels_last<uint16_t> : channels_last<uint32_t>)(read, target, count, n.shape.c, area);
    }
  });
}

void PreparedWeights::load_folded(const Node& weight, Dtype dtype, std::span<std::byte> out) const {
  const int64_t filters = weight.shape.n, in = weight.shape.c, bytes = 4 * in * size_of(dtype);  // of a folded filter
  const std::vector<float> plain = read_exactly(weight);
  parallel_for(filters, 16, [&](int64_t begin, int64_t end) {
    std::vector<float> folded(size_t(4 * in));
    for (int64_t o = begin; o < end; ++o)
      for (int phase = 0; phase < 4; ++phase) {
        fold_nearest(&plain[size_t(o * 9 * in)], in, phase, folded.data());
        convert(Dtype::f32, std::as_bytes(std::span(folded)), dtype, out.subspan(size_t((phase * filters + o) * bytes), size_t(bytes)));
      }
  });
}

}  // namespace hayate
