// Tokens are put into chunks one by one.
#include "prompt/a1111_chunks.h"

#include <algorithm>

#include "prompt/a1111_syntax.h"

namespace hayate {

namespace {

constexpr size_t comma_reach = 20;  // the web UI's default "prompt word wrap length limit"

// Where padding is a token of its own, it replaces all that follows the first EOS, also one that the prompt spelled out.
void pad_after_eos(const ClipTokenizer& tokenizer, TokenChunk& chunk) {
  auto eos = std::find(chunk.ids.begin(), chunk.ids.end(), tokenizer.eos_id());
  if (tokenizer.pad_id() != tokenizer.eos_id()) std::fill(eos + 1, chunk.ids.end(), tokenizer.pad_id());
}

}  // namespace

std::vector<TokenChunk> chunk_a1111(const ClipTokenizer& tokenizer, std::string_view prompt) {
  ChunkBuilder builder(tokenizer);
  const int32_t comma = tokenizer.find(",</w>");
  size_t after_comma = 0;  // tokens up to the last comma of the open chunk, with it; 0: there is none
  auto close = [&](size_t size) {
    builder.close(size);
    after_comma = 0;
  };
  for (const WeightedText& part : parse_a1111(prompt)) {
    if (is_break(part)) {
      close(builder.size());
      continue;
    }
    auto make_room = [&](int32_t id, size_t count) {
      const bool full = builder.size() == builder.room();
      const bool wraps = full && id != comma && after_comma > 0 && builder.size() - after_comma < comma_reach;
      if (full) close(wraps ? after_comma : builder.size());
      if (builder.size() + count > builder.room()) close(builder.size());
      return full;
    };
    for (const TokenizedPiece& piece : tokenizer.pieces(part.text)) {
      if (piece.added) {
        make_room(-1, piece.ids.size());
        builder.add(piece.ids, part.weight);
        continue;
      }
      for (int32_t id : piece.ids) {
        const bool full = make_room(id, 1);
        builder.add({&id, 1}, part.weight);
        if (id == comma && !full) after_comma = builder.size();  // one that begins a chunk is not remembered there either
      }
    }
  }
  if (builder.size() > 0 || builder.empty()) builder.close();
  std::vector<TokenChunk> chunks = builder.take();
  for (TokenChunk& chunk : chunks) pad_after_eos(tokenizer, chunk);
  return chunks;
}

}  // namespace hayate
