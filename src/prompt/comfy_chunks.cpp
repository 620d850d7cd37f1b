// Texts of one weight are put into chunks one by one.
#include "prompt/comfy_chunks.h"

#include <algorithm>

#include "prompt/comfy_syntax.h"

namespace hayate {

namespace {
constexpr size_t shortest_cut = 8;  // a text of so many tokens may be cut in two
}

std::vector<TokenChunk> chunk_comfy(const ClipTokenizer& tokenizer, std::string_view prompt) {
  ChunkBuilder builder(tokenizer);
  const size_t cut_from = std::min(shortest_cut, builder.room() + 1);  // what fits no chunk must be cut
  for (const WeightedText& part : parse_comfy(prompt)) {
    std::vector<int32_t> ids = tokenizer.tokenize(part.text);
    std::span<const int32_t> rest = ids;
    while (rest.size() > builder.room() - builder.size()) {
      size_t fits = ids.size() >= cut_from ? builder.room() - builder.size() : 0;
      builder.add(rest.first(fits), part.weight);
      rest = rest.subspan(fits);
      builder.close();
    }
    builder.add(rest, part.weight);
  }
  builder.close();
  return builder.take();
}

}  // namespace hayate
