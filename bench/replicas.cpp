// Pictures a second of several GPUs, each with a pipeline and a thread of its own, beside those of the first one alone: bench_replicas FAMILY RUNG SECONDS DEVICE...
// Random weights at full size ("sdxl"), or "builtin". What one thread waits for in the driver or the host's memory, the others may feel: this shows it.
#include <fmt/core.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "hayate/hayate.h"

namespace hayate {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); }

const Request request{.pictures = {{.prompt = "a castle on a hill", .seed = 5}}};

// Each draws until the time is over; a picture that is begun is finished, and its time counts.
double pictures_a_second(const std::vector<std::unique_ptr<Pipeline>>& pipelines, size_t replicas, double seconds) {
  std::atomic<double> rate = 0;
  std::vector<std::jthread> threads;
  for (size_t i = 0; i < replicas; ++i)
    threads.emplace_back([&, i] {
      const Clock::time_point begin = Clock::now();
      int pictures = 0;
      for (; seconds_since(begin) < seconds; ++pictures) pipelines[i]->generate(request);
      rate += pictures / seconds_since(begin);
    });
  threads.clear();
  return rate;
}

void run(const std::string& family, const std::string& rung, double seconds, const std::vector<std::string>& devices) {
  std::vector<std::unique_ptr<Pipeline>> pipelines;
  for (const std::string& device : devices) {
    pipelines.push_back(std::make_unique<Pipeline>(Options{.random = family == "builtin" ? "" : family, .device = device, .rung = rung}));
    for (int warmup = 0; warmup < 2; ++warmup) pipelines.back()->generate(request);
  }
  fmt::print("{}, rung {}\n", pipelines[0]->device(), pipelines[0]->rung());
  double alone = 0;
  for (size_t replicas = 1; replicas <= devices.size(); ++replicas) {
    const double rate = pictures_a_second(pipelines, replicas, seconds);
    if (replicas == 1) alone = rate;
    fmt::print("{} of {}: {:.3f} pictures a second, {:.2f}x\n", replicas, devices.size(), rate, rate / alone);
  }
}

}  // namespace
}  // namespace hayate

int main(int argc, char** argv) try {
  if (argc < 5) throw std::runtime_error("usage: bench_replicas FAMILY RUNG SECONDS DEVICE...");
  hayate::run(argv[1], argv[2], std::stod(argv[3]), {argv + 4, argv + argc});
  return 0;
} catch (const std::exception& e) {
  fmt::print(stderr, "bench_replicas: {}\n", e.what());
  return 1;
}
