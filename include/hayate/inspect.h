// What a file is, told from its header (no weights are loaded), and what the machine has.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hayate/hayate.h"

namespace hayate {

struct TensorSummary {
  std::string name{}, dtype{};       // dtype as the format calls it: "BF16"
  std::vector<int64_t> shape{};
  int64_t bytes = 0;
  bool supported = true;             // false for numbers that hayate cannot compute with: complex ones, microscaling formats
};
struct TensorFileInfo {
  std::map<std::string, std::string> metadata{};
  std::vector<TensorSummary> tensors{};  // in the order of their data
  int64_t bytes = 0;                     // of the file
};
// Any .safetensors file. Throws Error(bad_file) for whatever the format forbids.
TensorFileInfo inspect_safetensors(const std::string& path);

struct ComponentInfo {
  std::string name{};                          // "unet"
  int64_t parameters = 0;
  std::map<std::string, int64_t> parameters_by_dtype{};  // as stored: "bf16", "f8_e4m3 scaled"
};
struct ModelInfo {
  std::string name{}, path{}, family{};
  int width = 0, height = 0;                   // native, pixels
  std::string scheduler{}, prediction{};       // "EulerDiscreteScheduler", "epsilon"
  bool inpaints = false;                       // made for inpainting: it needs a picture to start from, and a mask
  std::vector<ComponentInfo> components{};     // text encoders, unet, vae
  int64_t bytes = 0;                           // of its files
};
// The model that Pipeline would open. Throws Error(bad_model) or Error(unsupported) where Pipeline would.
ModelInfo inspect_model(const Options&);

// Those of the textual inversion files that the model's text encoders have a use for, for Options::embeddings; Options::warn is told why others are not. Throws as
// inspect_model().
std::vector<std::string> fitting_embeddings(const Options&, const std::vector<std::string>& paths);

// The checks of Pipeline::generate() that need neither weights nor memory: sizes, steps, the scheduler and its options, picture and mask. For servers, which
// refuse what cannot be drawn before it waits. Safe for use by several threads.
class RequestCheck {
 public:
  explicit RequestCheck(const Options&);                 // throws as inspect_model()
  std::array<int, 2> operator()(const Request&) const;   // width and height of the pictures that generate() would draw; throws as it would

 private:
  struct Configs;
  std::shared_ptr<const Configs> configs_;
};

struct DeviceInfo {
  std::string name{};                          // for Options::device
  std::string processor{}, instruction_set{};
  int cores = 0;                               // of a GPU: multiprocessors
  int64_t memory = 0, memory_available = 0;    // bytes: of the machine, and left for this process
  std::string problem{};                       // why it cannot be used; empty if it can
};
std::vector<DeviceInfo> devices();

}  // namespace hayate
