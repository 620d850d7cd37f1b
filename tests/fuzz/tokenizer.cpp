// Fuzz target: vocab.json, merges.txt and tokenizer_config.json, then a prompt in that vocabulary.
#include <filesystem>
#include <fstream>

#include "input.h"
#include "tokenizer/clip_tokenizer.h"

using namespace hayate;

namespace {
struct Folder {
  std::string path;
  Folder() {
    char name[] = "/dev/shm/hayate-fuzz-XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
};
}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Folder folder;
  std::vector<std::string_view> parts = fuzz::parts_of(fuzz::text_of(data, size), 4);
  for (auto [name, part] : {std::pair("/vocab.json", parts[0]), std::pair("/merges.txt", parts[1]), std::pair("/tokenizer_config.json", parts[2])})
    std::ofstream(folder.path + name, std::ios::binary) << part;
  fuzz::tolerate([&] {
    ClipTokenizer tokenizer(folder.path);
    size_t expected = size_t(tokenizer.max_length());
    if (tokenizer.encode(parts[3]).ids.size() != expected) fail(ErrorKind::internal, "a prompt of another length");
  });
  return 0;
}
