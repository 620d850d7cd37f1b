// Reading .safetensors files, strictly: every rule of the format is checked before any tensor is read.
// Format: https://github.com/huggingface/safetensors (README.md; safetensors/src/tensor.rs is the reference reader).
#pragma once
#include <map>
#include <string>
#include <vector>

#include "core/convert.h"
#include "core/file_reader.h"
#include "weights/tensor_source.h"

namespace hayate {

// One element type of the format. A file may hold any of them; those with a converter can be read.
struct StoredType {
  const char* name;
  int bits;
  Converter convert = nullptr;
  Dtype holds = Dtype::f32;  // the type that keeps its values
};

struct StoredTensor {
  std::string name;
  const StoredType* type;
  std::vector<int64_t> dims;
  int64_t begin, end;  // bytes from the start of the file
};

class SafetensorsFile : public TensorSource {
 public:
  explicit SafetensorsFile(const std::string& path);  // reads and checks the header: Error(bad_file) for whatever breaks a rule

  const std::string& path() const { return file_.path(); }
  const std::vector<StoredTensor>& tensors() const { return tensors_; }  // in the order of their data
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  std::vector<std::string> names() const override;  // in the order of their data
  bool has(const std::string& name) const override;
  std::vector<int64_t> dims(const std::string& name) const override;
  Dtype dtype(const std::string& name) const override;
  std::string stored_as(const std::string& name) const override;
  using TensorSource::read;
  // Runs on all cores. Error(unsupported) for a tensor whose type is not a floating-point one.
  void read(const std::string& name, Dtype as, std::span<std::byte> out, int64_t first) const override;
  void announce(const std::string& name) const override;

 private:
  const StoredTensor& find(const std::string& name) const;
  const StoredTensor& find_weight(const std::string& name) const;  // of a type that can be read

  FileReader file_;
  std::vector<StoredTensor> tensors_;
  std::map<std::string, std::string> metadata_;
  std::map<std::string, size_t> index_;  // from a name into tensors_
};

}  // namespace hayate
