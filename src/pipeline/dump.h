// Collects named values of executables into one safetensors file (--dump).
#pragma once
#include <string>
#include <vector>

#include "backend/backend.h"

namespace hayate {

class Dump {
 public:
  Dump(std::string pattern, std::string file) : pattern_(std::move(pattern)), file_(std::move(file)) {}

  bool active() const { return !pattern_.empty(); }
  // Takes every value of `section` whose name matches, as float32 named `prefix/name`; the executable keeps all values.
  void take(const std::string& prefix, Executable&, Rate section);
  // Writes the file; Error(usage) if nothing matched.
  void write() const;

 private:
  struct Taken { std::string name; Shape shape; std::vector<float> data; };
  std::string pattern_, file_;
  std::vector<Taken> taken_;
};

}  // namespace hayate
