// Fuzz target: a prompt in every syntax; a prompt file.
#include <cmath>

#include "input.h"
#include "prompt/a1111_chunks.h"
#include "prompt/a1111_syntax.h"
#include "prompt/comfy_chunks.h"
#include "prompt/prompt_file.h"

using namespace hayate;

namespace {
void check(const std::vector<TokenChunk>& chunks, const ClipTokenizer& tokenizer) {
  bool whole = !chunks.empty();
  for (const TokenChunk& c : chunks) {
    whole = whole && c.ids.size() == size_t(tokenizer.max_length()) && c.weights.size() == c.ids.size() && c.ids[0] == tokenizer.bos_id();
    for (int32_t id : c.ids) whole = whole && id >= 0 && id < tokenizer.vocabulary_size();
    for (float w : c.weights) whole = whole && std::isfinite(w);
  }
  if (!whole) fail(ErrorKind::internal, "a chunk with wrong ids or weights");
}
}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const ClipTokenizer tokenizer(HAYATE_SOURCE_DIR "/tests/data/parity/tiny-sdxl/tokenizer_2");
  std::string_view prompt = fuzz::text_of(data, size);
  fuzz::tolerate([&] { check(chunk_a1111(tokenizer, prompt), tokenizer); });
  fuzz::tolerate([&] { check(chunk_comfy(tokenizer, prompt), tokenizer); });
  fuzz::tolerate([&] { refuse_unsupported_a1111(prompt, false); });
  fuzz::tolerate([&] { prompt_lines(std::string(prompt), "fuzz"); });
  return 0;
}
