// A program of the op alone, bound to memory of its own.
#include "backend/cpu/measured.h"

#include <fmt/core.h>
#include <omp.h>
#include <time.h>

#include <cstring>

#include "core/page_range.h"

namespace hayate::cpu {

namespace {
constexpr int64_t kMostRows = 256;
constexpr int64_t kMostPixels = 1024;  // of a convolution, which also reads what is around them
constexpr int kRuns = 3;  // the first of which finds the caches cold

// Loops of this thread stay on it.
class OneThread {
 public:
  OneThread() { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_ = omp_get_max_threads();
};

double seconds_of_this_thread() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

// The op as one of a single image, of at most kMostRows rows, or of whole lines of it.
Program alone(const HostBackend& backend, const Program& p, Node n) {
  Program out;
  auto cut = [op = n.op](const Shape& s) {
    if (op == Op::conv2d) return Shape{1, std::clamp<int64_t>(kMostPixels / s.w, 1, s.h), s.w, s.c};
    return Shape{1, 1, std::min(s.tokens(), kMostRows), s.c};
  };
  for (size_t k = 0; k < n.in.size(); ++k) {
    if (n.in[k] == none) continue;
    const Node& in = p[n.in[k]];
    const bool load = in.rate == Rate::load;
    n.in[k] = out.add({.op = load ? Op::weight : Op::input, .shape = load ? in.shape : cut(in.shape), .dtype = in.dtype, .rate = Rate::step,
                       .name = fmt::format("in{}", k)});
  }
  n.name = "alone", n.shape = result_shape(out, n);
  if ((n.op == Op::linear || n.op == Op::conv2d) && backend.packs(out, n))
    n.in[1] = out.add({.op = Op::pack, .in = {n.in[1]}, .dtype = out[n.in[1]].dtype, .name = "packed"});
  out.outputs = {out.add(std::move(n))};
  return out;
}

double measure(const HostBackend& backend, const Program& p) {
  const OneThread one_thread;
  const Node& n = p[p.outputs[0]];
  std::vector<PageRange> memory;
  auto view_of = [&](Value v) {
    if (v == none) return TensorView{};
    const int64_t bytes = backend.prepared_bytes(p, p[v]);
    memory.emplace_back(bytes).commit();
    std::memset(memory.back().data(), 0xff, size_t(bytes));  // NaN, which no processor is slower for, as some are for small numbers
    return packed_view(p[v], memory.back().data());
  };
  Operands o{p, n, view_of(p.outputs[0]), {}};
  for (Value v : n.in) o.in.push_back(view_of(v));
  Scratch needed(nullptr);
  backend.bind(o, needed);
  memory.emplace_back(std::max<int64_t>(needed.used(), 1)).commit();
  Scratch scratch(memory.back().data());
  const Launch launch = backend.bind(o, scratch);
  double least = INFINITY;
  for (int run = 0; run < kRuns; ++run) {
    const double begin = seconds_of_this_thread();
    launch();
    least = std::min(least, seconds_of_this_thread() - begin);
  }
  return least;
}
}  // namespace

double MeasuredOps::seconds(const HostBackend& backend, const Program& p, const Node& n) const {
  const Program op = alone(backend, p, n);
  std::string key;
  for (const Node& node : op.nodes())
    key += fmt::format("{} {} {} {},", name_of(node.op), name_of(node.dtype), to_string(node.shape), to_string(node.attr));
  const std::lock_guard lock(mutex_);
  auto [found, fresh] = seconds_.try_emplace(key, 0.0);
  if (fresh) found->second = measure(backend, op);
  return found->second * double(result_shape(p, n).rows()) / double(op[op.outputs[0]].shape.rows());
}

}  // namespace hayate::cpu
