// How fast weights load, beside the floor: bench_load MODEL [RUNG]. Reads a diffusers folder from the page cache (run it twice) and
// prepares all of its networks on the CPU. The floor reads every byte of the files once and writes every byte of the prepared
// weights once, on as many threads, with nothing in between.
#include <fmt/core.h>

#include <chrono>
#include <cstring>

#include "backend/backend.h"
#include "core/file_reader.h"
#include "core/page_range.h"
#include "core/parallel.h"
#include "models/clip_text.h"
#include "models/denoise_step.h"
#include "models/vae.h"
#include "passes/ladder.h"
#include "weights/checkpoint.h"
#include "weights/prepared_weights.h"

namespace hayate {
namespace {

double seconds(const auto& work) {
  using Clock = std::chrono::steady_clock;
  auto begin = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

void read_all(const std::string& path) {
  FileReader file(path);
  parallel_for(file.size(), 1 << 20, [&](int64_t begin, int64_t end) {
    std::vector<std::byte> buffer(1 << 18);
    for (int64_t at = begin; at < end; at += int64_t(buffer.size()))
      file.read(at, std::span(buffer).first(size_t(std::min(end - at, int64_t(buffer.size())))));
  });
}

void write_fresh(int64_t bytes) {
  PageRange memory(bytes);
  memory.commit();
  parallel_for(bytes, 1 << 20, [&](int64_t begin, int64_t end) { std::memset(memory.data() + begin, 1, size_t(end - begin)); });
}

struct Network {
  std::string component, file;
  Program program;
};

std::vector<Network> networks(const Checkpoint& model) {
  auto config = [&](const char* component) { return model.config(component); };
  std::vector<Network> all;
  int64_t width = 0;
  for (const char* component : {"text_encoder", "text_encoder_2"}) {
    ClipTextConfig clip = parse_clip_text_config(config(component));
    bool last = component == std::string_view("text_encoder_2");
    all.push_back({component, "model.safetensors", record_clip_text(clip, {.skip_layers = 1, .pooled = last}, 1, clip.max_tokens)});
    width = clip.projection_dim;
  }
  UNetConfig unet = parse_unet_config(config("unet"));
  DenoiseShape shape{.pictures = 1, .h = 64, .w = 64, .guided = true, .tokens = 77, .pooled_width = width};
  all.push_back({"unet", "diffusion_pytorch_model.safetensors", record_denoise_step(unet, shape)});
  all.push_back({"vae", "diffusion_pytorch_model.safetensors", record_vae_decoder(parse_vae_config(config("vae")), 1, 64, 64)});
  return all;
}

void run(const std::string& path, const std::string& rung) {
  std::unique_ptr<Checkpoint> model = open_checkpoint(path, "");
  std::shared_ptr<Backend> backend = make_cpu_backend();
  int64_t stored = 0, prepared = 0;
  double read = 0, write = 0, ours = 0;
  for (Network& n : networks(*model)) {
    const std::string file = path + "/" + n.component + "/" + n.file;
    Program p = climb(std::move(n.program), find_rung(rung), *backend);
    auto weights = std::make_unique<PreparedWeights>(backend, model->tensors(n.component), n.component);
    double load = seconds([&] { weights->prepare(p); });
    int64_t bytes = weights->bytes();
    weights.reset();
    double reading = seconds([&] { read_all(file); }), writing = seconds([&] { write_fresh(bytes); });
    fmt::print("{:15} {:6.3f} GB stored, {:6.3f} GB prepared: {:6.3f} s; floor {:6.3f} + {:6.3f} s, {:.2f} times that\n", n.component,
               double(FileReader(file).size()) * 1e-9, double(bytes) * 1e-9, load, reading, writing, load / (reading + writing));
    stored += FileReader(file).size(), prepared += bytes;
    read += reading, write += writing, ours += load;
  }
  fmt::print("{:15} {:6.3f} GB stored, {:6.3f} GB prepared: {:6.3f} s; floor {:6.3f} + {:6.3f} s, {:.2f} times that; {} threads, rung {}\n", "all",
             double(stored) * 1e-9, double(prepared) * 1e-9, ours, read, write, ours / (read + write), omp_get_max_threads(), rung);
}

}  // namespace
}  // namespace hayate

int main(int argc, char** argv) {
  try {
    hayate::require(argc == 2 || argc == 3, hayate::ErrorKind::usage, "usage: bench_load MODEL [RUNG]");
    hayate::run(argv[1], argc == 3 ? argv[2] : "projections");
  } catch (const hayate::Error& e) {
    fmt::print(stderr, "bench_load: {}\n", e.what());
    return 1;
  }
}
