// Fuzz target: a .safetensors file, its header and every tensor.
#include "weights/safetensors.h"

#include "input.h"

using namespace hayate;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::MemoryFile file(fuzz::text_of(data, size));
  fuzz::tolerate([&] {
    SafetensorsFile tensors(file.path());
    for (const StoredTensor& t : tensors.tensors()) {
      if (!t.type->convert) continue;
      int64_t count = 1;
      for (int64_t d : t.dims) count *= d;
      std::vector<float> values(static_cast<size_t>(count));  // bounded: the data lies in the file
      tensors.read(t.name, Dtype::f32, std::as_writable_bytes(std::span(values)));
    }
  });
  return 0;
}
