// Writing .safetensors files, tensor by tensor.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "core/atomic_file.h"
#include "core/dtype.h"

namespace hayate {

struct TensorInfo {
  std::string name;
  Dtype dtype;
  std::vector<int64_t> dims;
};

// All tensors are announced first, so that the header can be written; then each is written once, whole or in parts, in any order. The file appears
// with commit(). Tensors lie in the file as announced, but wider element types before narrower ones, so that all are aligned.
class SafetensorsWriter {
 public:
  SafetensorsWriter(const std::string& path, std::vector<TensorInfo> tensors, const std::map<std::string, std::string>& metadata = {});

  void write(const std::string& name, std::span<const std::byte> data);
  void write_part(const std::string& name, int64_t first_byte, std::span<const std::byte> data);
  void commit();

 private:
  struct Place {
    int64_t begin, end;  // bytes from the start of the file
    int64_t written = 0;
  };
  Place& find(const std::string& name);

  std::string path_;
  AtomicFile file_;
  std::map<std::string, Place> places_;
};

}  // namespace hayate
