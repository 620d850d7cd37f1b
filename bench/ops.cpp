// Times ops at SDXL's shapes: bench_ops [--portable | --avx2 | --cuda] [part of a name]. Medians; products in GFLOP/s, the rest in GB/s
// of what an op must read and write. On a GPU at twice the side, beside the distance from the float32 result.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <string_view>

#include "backend/cpu/cpu_backend.h"
#include "backend/op_cases.h"
#include "backend/run_case.h"
#include "passes/passes.h"
#include "program/work.h"

namespace hayate::testing {
namespace {

// `batch` runs are started together: a GPU's are too short to time one by one.
double median_seconds(Executable& e, int batch) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  auto run = [&] {
    for (int i = 0; i < batch; ++i) e.run(Rate::step);
    e.wait();
  };
  run();
  for (double total = 0; times.size() < 5 || (total < 0.5 && times.size() < 200); total += times.back()) {
    auto begin = Clock::now();
    run();
    times.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
  }
  std::nth_element(times.begin(), times.begin() + std::ptrdiff_t(times.size() / 2), times.end());
  return times[times.size() / 2] / batch;
}

struct Subject {
  std::shared_ptr<Backend> backend;
  std::vector<Dtype> dtypes;
  int side, batch;  // see sdxl_cases, median_seconds
  bool distances;   // from float32
};

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double error = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) error += (double(a[i]) - b[i]) * (double(a[i]) - b[i]), norm += double(b[i]) * b[i];
  return std::sqrt(error / norm);
}

void report(const Subject& s, const OpCase& c) {
  std::vector<float> exact;
  for (Dtype t : s.dtypes) {
    const Program plain = c.record(t);
    fmt::print("{:60} {:5} ", c.name, name_of(t));
    if (!supports_all(*s.backend, plain)) {
      fmt::print("not supported\n");
      continue;
    }
    Program p = pack_weights(plain, {*s.backend, t});
    const Node& y = p[p.outputs[0]];
    CaseValues values(p, c.fills);
    CaseWeights weights(*s.backend, values);
    std::unique_ptr<Executable> e = s.backend->compile(p, weights, {.capture = true});
    for (const Node& n : p.nodes())
      if (n.op == Op::input) e->write(n.name, values.bytes(n));
    double seconds = median_seconds(*e, s.batch), flops = flops_of(p, y);
    fmt::print("{:9.4f} ms {:8.1f} {}", seconds * 1e3, (flops > 0 ? flops : bytes_of(p, y)) / seconds * 1e-9, flops > 0 ? "GFLOP/s" : "GB/s");
    std::vector<float> result = s.distances ? read_result(*e) : std::vector<float>{};
    if (t == Dtype::f32)
      exact = result;
    else if (!exact.empty())
      fmt::print("  off by {:.1e}", distance(result, exact));
    fmt::print("\n");
    std::fflush(stdout);
  }
}

Subject cpu_subject(cpu::Isa isa) {
  require(cpu::runs_here(isa), ErrorKind::unsupported, "this processor does not run {}", name_of(isa));
  return {make_cpu_backend(isa), {Dtype::f32, Dtype::bf16}, 64, 1, false};
}
Subject cuda_subject() { return {make_cuda_backend({}), {Dtype::f32, Dtype::bf16, Dtype::f16}, 128, 20, true}; }

void run(int argc, char** argv) {
  std::optional<Subject> subject;
  std::string_view part;
  for (int i = 1; i < argc; ++i) {
    std::string_view arg = argv[i];
    if (arg == "--portable")
      subject = cpu_subject(cpu::Isa::baseline);
    else if (arg == "--avx2")
      subject = cpu_subject(cpu::Isa::avx2);
    else if (arg == "--cuda")
      subject = cuda_subject();
    else
      part = arg;
  }
  if (!subject) subject = cpu_subject(cpu::best_isa());
  fmt::print("{}\n", subject->backend->description());
  for (const OpCase& c : sdxl_cases(subject->side))
    if (c.name.find(part) != std::string::npos) report(*subject, c);
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
