// The project's own corpus of good and bad .safetensors files, made in code.
#pragma once
#include <string>
#include <vector>

namespace hayate {

struct SafetensorsCase {
  std::string name;
  std::string file;    // its bytes
  std::string reason;  // what the error must mention; empty: the file is fine
};

// A file with this header text and that many bytes of data (1, 2, 3, ...).
std::string safetensors_bytes(const std::string& header, size_t data_bytes);

std::vector<SafetensorsCase> safetensors_cases();

}  // namespace hayate
