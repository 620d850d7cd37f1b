// Fuzz target: vocab.json, merges.txt and tokenizer_config.json, then a prompt in that vocabulary.
#include "core/scratch_folder.h"
#include "input.h"
#include "tokenizer/clip_tokenizer.h"

using namespace hayate;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const ScratchFolder folder("/dev/shm");  // in memory, and one for all inputs
  std::vector<std::string_view> parts = fuzz::parts_of(fuzz::text_of(data, size), 4);
  for (auto [name, part] : {std::pair("vocab.json", parts[0]), std::pair("merges.txt", parts[1]), std::pair("tokenizer_config.json", parts[2])})
    folder.write(name, part);
  fuzz::tolerate([&] {
    ClipTokenizer tokenizer(folder / "");
    size_t expected = size_t(tokenizer.max_length());
    if (tokenizer.encode(parts[3]).ids.size() != expected) fail(ErrorKind::internal, "a prompt of another length");
  });
  return 0;
}
