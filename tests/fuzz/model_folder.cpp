// Fuzz target: model_index.json, a component's config.json and its shard index, in a folder with one good shard.
#include "core/scratch_folder.h"
#include "input.h"
#include "weights/checkpoint.h"

using namespace hayate;

namespace {
// In memory, and one for all inputs: making a folder takes longer than reading it.
struct Folder : ScratchFolder {
  Folder() : ScratchFolder("/dev/shm") {
    std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
    write("unet/part.safetensors", std::string{char(header.size()), 0, 0, 0, 0, 0, 0, 0} + header + std::string(4, '\0'));
  }
};
}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Folder folder;
  std::vector<std::string_view> parts = fuzz::parts_of(fuzz::text_of(data, size), 3);
  folder.write("model_index.json", parts[0]);
  folder.write("unet/config.json", parts[1]);
  folder.write("unet/diffusion_pytorch_model.safetensors.index.json", parts[2]);
  fuzz::tolerate([&] {
    auto model = open_checkpoint(folder / "", "");
    for (const char* component : {"unet", "text_encoder", "../unet"}) {
      if (!model->has(component)) continue;
      fuzz::tolerate([&] { model->config(component); });
      fuzz::tolerate([&] { model->tensors(component)->names(); });
    }
  });
  return 0;
}
