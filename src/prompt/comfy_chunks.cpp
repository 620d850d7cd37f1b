// Texts of one weight are put into chunks one by one.
#include "prompt/comfy_chunks.h"

#include <algorithm>

#include "core/error.h"
#include "prompt/comfy_syntax.h"

namespace hayate {

namespace {
constexpr size_t shortest_cut = 8;  // a text of so many tokens may be cut in two

// Those that are there have become words of their own.
void refuse_embeddings(const std::string& text) {
  constexpr std::string_view mark = "embedding:";
  for (size_t at = text.find(mark); at != text.npos; at = text.find(mark, at + 1))
    if (at == 0 || text[at - 1] == ' ' || text[at - 1] == '\n')
      fail(ErrorKind::usage, "the prompt has \"{:.60}\", but no embedding of that name is given", text.substr(at, text.find_first_of(" \n", at) - at));
}
}

std::vector<TokenChunk> chunk_comfy(const ClipTokenizer& tokenizer, std::string_view prompt) {
  ChunkBuilder builder(tokenizer);
  const size_t cut_from = std::min(shortest_cut, builder.room() + 1);  // what fits no chunk must be cut
  auto add = [&](std::span<const int32_t> ids, double weight) {
    std::span<const int32_t> rest = ids;
    while (rest.size() > builder.room() - builder.size()) {
      size_t fits = ids.size() >= cut_from ? builder.room() - builder.size() : 0;
      builder.add(rest.first(fits), weight);
      rest = rest.subspan(fits);
      builder.close();
    }
    builder.add(rest, weight);
  };
  for (const WeightedText& part : parse_comfy(prompt))
    for (const TokenizedPiece& piece : tokenizer.pieces(part.text)) {
      if (!piece.added) refuse_embeddings(piece.text);
      add(piece.ids, part.weight);
    }
  builder.close();
  return builder.take();
}

}  // namespace hayate
