// Times ops at SDXL's shapes on the CPU: bench_ops [--portable | --avx2] [part of a name]. Medians; products in GFLOP/s, the rest in GB/s
// of what an op must read and write.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <string_view>

#include "backend/cpu/cpu_backend.h"
#include "backend/op_cases.h"
#include "backend/run_case.h"
#include "passes/passes.h"

namespace hayate::testing {
namespace {

double product_flops(const Program& p, const Node& n) {
  auto in = [&](size_t k) { return p[n.in[k]].shape; };
  switch (n.op) {
    case Op::linear: return 2.0 * double(n.shape.count()) * double(in(0).c);
    case Op::conv2d: return 2.0 * double(n.shape.count()) * double(in(1).h * in(1).w * in(1).c);
    case Op::attention: return 2.0 * double(n.shape.rows()) * double(in(1).tokens()) * double(in(0).c + in(2).c);
    default: return 0;
  }
}

double bytes_moved(const Program& p, const Node& n) {
  double bytes = double(byte_size(n));
  for (Value v : n.in)
    if (v != none) bytes += double(byte_size(p[v]));
  return bytes;
}

double median_seconds(Executable& e) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  e.run(Rate::step);
  for (double total = 0; times.size() < 5 || (total < 0.5 && times.size() < 200); total += times.back()) {
    auto begin = Clock::now();
    e.run(Rate::step);
    times.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
  }
  std::nth_element(times.begin(), times.begin() + std::ptrdiff_t(times.size() / 2), times.end());
  return times[times.size() / 2];
}

void report(Backend& backend, const OpCase& c, Dtype t) {
  Program p = pack_weights(c.record(t), {backend, t});
  const Node& y = p[p.outputs[0]];
  if (!backend.supports(p, y)) {
    fmt::print("{:60} {:5} not supported\n", c.name, name_of(t));
    return;
  }
  CaseValues values(p, c.fills);
  CaseWeights weights(backend, values);
  std::unique_ptr<Executable> e = backend.compile(p, weights);
  for (const Node& n : p.nodes())
    if (n.op == Op::input) e->write(n.name, values.bytes(n));
  double seconds = median_seconds(*e), flops = product_flops(p, y);
  fmt::print("{:60} {:5} {:9.3f} ms {:8.1f} {}\n", c.name, name_of(t), seconds * 1e3, (flops > 0 ? flops : bytes_moved(p, y)) / seconds * 1e-9,
             flops > 0 ? "GFLOP/s" : "GB/s");
}

void run(int argc, char** argv) {
  cpu::Isa isa = cpu::best_isa();
  std::string_view part;
  for (int i = 1; i < argc; ++i) {
    std::string_view arg = argv[i];
    if (arg == "--portable") isa = cpu::Isa::baseline;
    else if (arg == "--avx2") isa = cpu::Isa::avx2;
    else part = arg;
  }
  require(cpu::runs_here(isa), ErrorKind::unsupported, "this processor does not run {}", name_of(isa));
  std::shared_ptr<Backend> backend = make_cpu_backend(isa);
  fmt::print("kernels: {}, threads: {}\n", name_of(isa), omp_get_max_threads());
  for (const OpCase& c : sdxl_cases())
    for (Dtype t : {Dtype::f32, Dtype::bf16})
      if (c.name.find(part) != std::string::npos) report(*backend, c, t);
}

}  // namespace
}  // namespace hayate::testing

int main(int argc, char** argv) {
  try {
    hayate::testing::run(argc, argv);
  } catch (const hayate::Error& e) {
    fmt::print(stderr, "bench_ops: {}\n", e.what());
    return 1;
  }
}
