// What the first picture of a size costs beside the next ones, in one process: bench_sizes MODEL DEVICE WIDTHxHEIGHT... The first size also
// loads the weights, so it is named twice to be compared.
#include <fmt/core.h>

#include <cstdio>
#include <set>
#include <string>

#include "hayate/hayate.h"

namespace hayate {
namespace {

void run(const std::string& model, const std::string& device, int count, char** sizes) {
  Options options{.device = device};
  (model == "sdxl" ? options.random : options.model) = model;
  Pipeline pipeline(options);
  std::set<std::string> seen;
  for (int i = 0; i < count; ++i) {
    Request request{.pictures = {{.prompt = "a castle", .seed = 0}}, .steps = 30};
    if (std::sscanf(sizes[i], "%dx%d", &request.width, &request.height) != 2)
      throw Error(ErrorKind::usage, fmt::format("'{}' is no size; expected for example 1024x1024", sizes[i]));
    const Result first = pipeline.generate(request);
    double least = pipeline.generate(request).timings.total;
    for (int k = 0; k < 2; ++k) least = std::min(least, pipeline.generate(request).timings.total);
    fmt::print("{}{}: {:.3f} s, then {:.3f} s: {:.3f} s more (compile {:.3f}, load and bind {:.3f})\n", sizes[i],
               seen.insert(sizes[i]).second ? "" : " again", first.timings.total, least, first.timings.total - least, first.timings.compile,
               first.timings.load);
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace hayate

int main(int argc, char** argv) {
  try {
    if (argc < 4) throw hayate::Error(hayate::ErrorKind::usage, "usage: bench_sizes MODEL DEVICE WIDTHxHEIGHT...; MODEL may be sdxl: random weights");
    hayate::run(argv[1], argv[2], argc - 3, argv + 3);
  } catch (const std::exception& e) {
    fmt::print(stderr, "bench_sizes: {}\n", e.what());
    return 1;
  }
}
