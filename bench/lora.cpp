// How long a change of LoRAs takes on a loaded model, and what of it: bench_lora [RUNG] [DEVICE] [RANK] [MEMORY LIMIT, GB]. Random SDXL at full size, read from a file of 16-bit
// weights (6.9 GB, among the temporary files), and a LoRA on every projection of attention in the UNet.
#include <fmt/core.h>

#include <cstdio>
#include <filesystem>

#include "core/convert.h"
#include "hayate/hayate.h"
#include "pipeline/installed_files.h"
#include "pipeline/random_model.h"
#include "weights/safetensors_writer.h"
#include "weights/write_checkpoint.h"

namespace hayate {
namespace {

void write_lora(const std::string& path, const TensorSource& model, int64_t rank) {
  std::map<std::string, Shape> shapes;
  std::vector<TensorInfo> infos;
  for (const std::string& name : model.names()) {
    const std::vector<int64_t> dims = model.dims(name);
    if (name.find(".attn") == name.npos || !name.ends_with(".weight") || dims.size() != 2) continue;
    const std::string module = "unet." + name.substr(0, name.size() - std::string_view(".weight").size());
    for (const auto& [end, matrix] : {std::pair(".lora_A.weight", std::vector{rank, dims[1]}), {".lora_B.weight", {dims[0], rank}}}) {
      shapes[module + end] = {1, 1, matrix[0], matrix[1]};
      infos.push_back({module + end, Dtype::f16, matrix});
    }
  }
  const auto random = random_tensors(shapes);
  SafetensorsWriter writer(path, infos, {});
  for (const TensorInfo& info : infos) {
    std::vector<std::byte> bytes(size_t(info.dims[0] * info.dims[1] * 2));
    random->read(info.name, Dtype::f16, bytes, 0);
    writer.write(info.name, bytes);
  }
  writer.commit();
}

void run(const std::string& rung, const std::string& device, int64_t rank, double limit) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / "hayate-bench-lora", file = folder / fmt::format("rank-{}.safetensors", rank), model = folder / "model.safetensors";
  fs::create_directories(folder);
  const auto sdxl = random_model("sdxl", open_checkpoint(builtin_model_folder(), clip_tokenizers_folder()));
  if (!fs::exists(model)) write_single_file(*sdxl, model.string(), Dtype::f16);
  write_lora(file.string(), *sdxl->tensors("unet"), rank);
  Pipeline pipeline({.model = model.string(), .device = device, .rung = rung, .memory_limit = int64_t(limit * 1e9)});
  const Request request{.pictures = {{.prompt = "a castle"}}, .width = 64, .height = 64, .steps = 1};
  const Result first = pipeline.generate(request);
  fmt::print("{}, rung {}: loaded in {:.2f} s\n", pipeline.device(), pipeline.rung(), first.timings.load);
  fmt::print("seconds: all (files opened, tensors read and brought, device told, device waited for); GB: prepared (originals read, kept on device, on host)\n");
  for (float weight : {0.8f, 0.5f, 0.0f, 0.8f, 0.5f, 0.0f}) {
    const LoraChange change = pipeline.set_loras(weight == 0 ? std::vector<Lora>{} : std::vector<Lora>{{file.string(), weight}});
    auto gb = [](int64_t bytes) { return double(bytes) / 1e9; };
    fmt::print("rank {}, weight {}: {} tensors, {:.3f} s ({:.3f}, {:.3f}, {:.3f}, {:.3f}), {:.2f} GB ({:.2f}, {:.2f}, {:.2f})\n", rank, weight, change.tensors,
               change.seconds, change.opening, change.reading, change.computing, change.waiting, gb(change.prepared), gb(change.read),
               gb(change.kept_on_device), gb(change.kept_on_host));
  }
  fmt::print("the picture without it is the same as before: {}\n", pipeline.generate(request).latents == first.latents ? "yes" : "NO");
  fs::remove_all(folder);
}

}  // namespace
}  // namespace hayate

int main(int argc, char** argv) try {
  hayate::run(argc > 1 ? argv[1] : "", argc > 2 ? argv[2] : "cpu", argc > 3 ? std::stoll(argv[3]) : 64, argc > 4 ? std::stod(argv[4]) : 0);
  return 0;
} catch (const std::exception& e) {
  fmt::print(stderr, "bench_lora: {}\n", e.what());
  return 1;
}
