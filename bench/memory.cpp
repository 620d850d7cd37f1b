// The memory of a request beside its forecast: bench_memory MODEL WIDTHxHEIGHT RUNG [LIMIT [low]]. Draws one picture in one step, looking at the
// process's own anonymous memory (RssAnon) every 50 ms; `low` streams the weights. bench/in_control_group runs it where the kernel enforces a limit too.
#include <fmt/core.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <thread>

#include "hayate/byte_size.h"
#include "hayate/hayate.h"

namespace hayate {
namespace {

int64_t anonymous_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("RssAnon:")) return std::stoll(line.substr(8)) * 1024;
  return 0;
}

// The most that was seen since the last question.
class Watch {
 public:
  int64_t lap() { return most_.exchange(anonymous_memory()); }

 private:
  std::atomic<int64_t> most_ = 0;
  std::jthread thread_{[this](std::stop_token stop) {
    while (!stop.stop_requested()) {
      most_ = std::max<int64_t>(most_, anonymous_memory());
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }};
};

void run(const std::string& model, const std::string& size, const std::string& rung, const std::string& limit, bool low) {
  Request request{.pictures = {{.prompt = "a castle on a hill at night", .seed = 7}}, .steps = 1};
  if (std::sscanf(size.c_str(), "%dx%d", &request.width, &request.height) != 2) throw Error(ErrorKind::usage, "expected WIDTHxHEIGHT, got " + size);
  Pipeline pipeline({.model = model, .rung = rung, .low_memory = low, .memory_limit = limit.empty() ? 0 : parse_size(limit).value_or(1)});
  const MemoryForecast forecast = pipeline.forecast(request);
  Watch watch;
  int64_t denoised = 0;
  request.on_step = [&](const Progress&) {
    denoised = watch.lap();
    return true;
  };
  const Result result = pipeline.generate(request);
  const int64_t decoded = watch.lap(), peak = std::max(denoised, decoded);

  auto gib = [](int64_t bytes) { return double(bytes) / double(1 << 30); };
  fmt::print("{} at {}, rung {}, GiB\n", model, size, rung);
  for (const MemoryStage& s : forecast.stages)
    fmt::print("  {:8} weights {:6.3f}, kept of others {:6.3f}, activations {:6.3f}, scratch {:6.3f}: peak {:6.3f}\n", s.name, gib(s.weights), gib(s.kept),
               gib(s.activations), gib(s.scratch), gib(s.peak));
  fmt::print("  forecast {:.3f}, of which the process {:.3f}; budget {:.3f}\n", gib(forecast.peak), gib(forecast.process), gib(forecast.budget));
  fmt::print("  measured {:.3f} until the step was done, {:.3f} while decoding; forecast / measured {:.3f}\n", gib(denoised), gib(decoded),
             double(forecast.peak) / double(peak));
  fmt::print("  counted by the allocator {:.3f}, forecast for it {:.3f}; {:.1f} s\n", gib(result.peak_memory), gib(forecast.peak - forecast.process),
             result.timings.total);
}

}  // namespace
}  // namespace hayate

int main(int argc, char** argv) {
  try {
    const bool low = argc == 6 && std::string(argv[5]) == "low";
    if (argc != 4 && argc != 5 && !low) throw hayate::Error(hayate::ErrorKind::usage, "usage: bench_memory MODEL WIDTHxHEIGHT RUNG [LIMIT [low]]");
    hayate::run(argv[1], argv[2], argv[3], argc >= 5 ? argv[4] : "", low);
  } catch (const hayate::Error& e) {
    fmt::print(stderr, "bench_memory: {}\n", e.what());
    return 1;
  }
}
