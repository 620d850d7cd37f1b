// Latents and picture of one request as raw float32 and bytes, for bench/peers/sdxl_parity.py: bench_latents MODEL DEVICE SIDE STEPS OUT RUNG...
// Writes OUT.RUNG.latents after each step, one after another, and OUT.RUNG.rgb.
#include <fmt/core.h>

#include <fstream>
#include <string>

#include "hayate/hayate.h"

namespace hayate {
namespace {

void append(std::ofstream& file, const void* data, size_t bytes) { file.write(static_cast<const char*>(data), std::streamsize(bytes)); }

void run(const std::string& model, const std::string& device, int side, int steps, const std::string& out, const std::string& rung) {
  Pipeline pipeline({.model = model, .device = device, .rung = rung});
  Request request{.pictures = {{.prompt = "ghibli style, a fantasy landscape with castles", .seed = 0}}, .width = side, .height = side, .steps = steps};
  std::ofstream latents(out + "." + rung + ".latents", std::ios::binary), rgb(out + "." + rung + ".rgb", std::ios::binary);
  request.on_step = [&](const Progress& p) {
    append(latents, p.latent.data(), p.latent.size_bytes());
    return true;
  };
  Result result = pipeline.generate(request);
  append(rgb, result.images[0].rgb.data(), result.images[0].rgb.size());
  if (!latents.flush() || !rgb.flush()) throw Error(ErrorKind::io, out + ": cannot write");
  fmt::print("{}: {:.2f} s, of which load {:.2f} s\n", rung, result.timings.total, result.timings.load);
}

}  // namespace
}  // namespace hayate

int main(int argc, char** argv) {
  try {
    if (argc < 7) throw hayate::Error(hayate::ErrorKind::usage, "usage: bench_latents MODEL DEVICE SIDE STEPS OUT RUNG...");
    for (int i = 6; i < argc; ++i) hayate::run(argv[1], argv[2], std::stoi(argv[3]), std::stoi(argv[4]), argv[5], argv[i]);
  } catch (const std::exception& e) {
    fmt::print(stderr, "bench_latents: {}\n", e.what());
    return 1;
  }
}
