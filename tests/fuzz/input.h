// What all fuzz targets share: bytes as files, and which outcomes are allowed.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

// The function that libFuzzer calls; replay.cpp calls it for the files of a corpus.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace hayate::fuzz {

inline std::string_view text_of(const uint8_t* data, size_t size) { return {reinterpret_cast<const char*>(data), size}; }

// Runs `read`. An Error is the right answer to bad input; anything else that is thrown is a finding.
template <class Read>
void tolerate(Read&& read) {
  try {
    read();
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::internal) throw;
  }
}

// A regular file in memory, with a path.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view content) : descriptor_(memfd_create("fuzz", MFD_CLOEXEC)) {
    for (std::string_view rest = content; !rest.empty();) {
      ssize_t written = ::write(descriptor_, rest.data(), rest.size());
      if (written <= 0) fail(ErrorKind::internal, "memfd: cannot write");
      rest.remove_prefix(size_t(written));
    }
  }
  MemoryFile(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(descriptor_); }
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

// The input cut at lines that are "---": several files in one. As many as asked for; missing ones are empty.
inline std::vector<std::string_view> parts_of(std::string_view input, size_t count) {
  constexpr std::string_view cut = "\n---\n";
  std::vector<std::string_view> parts;
  while (parts.size() + 1 < count) {
    size_t at = input.find(cut);
    parts.push_back(input.substr(0, at));
    input.remove_prefix(at == input.npos ? input.size() : at + cut.size());
  }
  parts.push_back(input);
  return parts;
}

}  // namespace hayate::fuzz
