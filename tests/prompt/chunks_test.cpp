// Prompts become the chunks of weighted tokens that tools/dump_prompts.py wrote.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "core/json.h"
#include "prompt/a1111_chunks.h"
#include "prompt/a1111_syntax.h"
#include "prompt/comfy_chunks.h"

namespace hayate {
namespace {

using ::testing::Each;

const ClipTokenizer& tokenizer() {
  static const ClipTokenizer t(HAYATE_SOURCE_DIR "/tests/data/parity/tiny-sdxl/tokenizer_2");  // pads with another token than EOS
  return t;
}

void expect_chunks(std::vector<TokenChunk> chunks, const Json& golden) {
  ASSERT_EQ(chunks.size(), golden.size());
  for (size_t i = 0; i < chunks.size(); ++i) {
    auto ids = golden[i][0].get<std::vector<int32_t>>();
    auto weights = golden[i][1].get<std::vector<float>>();
    ids.resize(size_t(tokenizer().max_length()), tokenizer().pad_id());
    weights.resize(ids.size(), 1);
    EXPECT_EQ(chunks[i].ids, ids) << "chunk " << i;
    EXPECT_EQ(chunks[i].weights, weights) << "chunk " << i;
  }
}

TEST(Chunks, EqualTheReferences) {
  Json cases = read_json_file(HAYATE_SOURCE_DIR "/tests/data/prompt/chunks.json");
  ASSERT_GT(cases.size(), 80u);
  for (const Json& c : cases) {
    std::string prompt = c.at("prompt");
    SCOPED_TRACE(prompt);
    expect_chunks(chunk_a1111(tokenizer(), prompt), c.at("a1111"));
    expect_chunks(chunk_comfy(tokenizer(), prompt), c.at("comfy"));
  }
}

TEST(Chunks, PlainTextIsWhatTheTokenizerMakesOfIt) {
  for (const char* folder : {"tokenizer", "tokenizer_2"}) {
    ClipTokenizer t(HAYATE_SOURCE_DIR "/tests/data/parity/tiny-sdxl/" + std::string(folder));
    for (const char* prompt : {"", "a castle on a hill, at night", "ÉTÉ 猫"})
      for (auto* chunk : {chunk_a1111, chunk_comfy}) {
        std::vector<TokenChunk> chunks = chunk(t, prompt);
        ASSERT_EQ(chunks.size(), 1u);
        EXPECT_EQ(chunks[0].ids, t.encode(prompt).ids) << prompt;
        EXPECT_THAT(chunks[0].weights, Each(1));
      }
  }
}

TEST(Chunks, EmbeddingsThatAreNotThereAreRefused) {
  expect_error(ErrorKind::usage, {"\"embedding:bad\""}, [] { chunk_comfy(tokenizer(), "fog, (embedding:bad:1.2)"); });
  expect_error(ErrorKind::usage, {"\"embedding:bad,\""}, [] { chunk_comfy(tokenizer(), "fog\nembedding:bad, b"); });
  EXPECT_EQ(chunk_comfy(tokenizer(), "my_embedding:x").size(), 1u);
}

TEST(Chunks, AddedWordsStayWhole) {
  ClipTokenizer t(HAYATE_SOURCE_DIR "/tests/data/parity/tiny-sdxl/tokenizer_2");
  t.add_word("ember", 1000, 5);
  t.add_word("embedding:ember", 1000, 5);
  std::string commas;
  for (int i = 0; i < 73; ++i) commas += "! ";
  const size_t before = t.tokenize(commas).size();
  ASSERT_TRUE(before > 70 && before < 75) << before;
  for (auto* chunk : {chunk_a1111, chunk_comfy}) {
    const std::vector<TokenChunk> chunks = chunk(t, commas + "(embedding:ember:1.5) x");
    ASSERT_EQ(chunks.size(), 2u);
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(chunks[1].ids[size_t(1 + i)], 1000 + i);
      EXPECT_EQ(chunks[1].weights[size_t(1 + i)], 1.5f);
    }
  }
}

TEST(Chunks, HostilePromptsTakeBoundedTime) {
  constexpr size_t many = 50'000;
  auto repeated = [](std::string_view text, size_t times) {
    std::string all;
    for (size_t i = 0; i < times; ++i) all += text;
    return all;
  };
  for (const std::string& prompt :
       {repeated("(a)", many), repeated("[", many), repeated("(a", many), repeated(")", many), repeated(":1)", many), repeated("\\", many),
        repeated("(", 90) + repeated("a:", many) + repeated(")", 90), repeated("<a:", many), repeated("BREAK ", 20'000), repeated("a AN", many),
        repeated("[:", many)})
    for (auto* chunk : {chunk_a1111, chunk_comfy}) {
      try {
        EXPECT_GE(chunk(tokenizer(), prompt).size(), 1u);
        refuse_unsupported_a1111(prompt, false);
      } catch (const Error& e) {
        EXPECT_THAT(e.kind(), ::testing::AnyOf(ErrorKind::usage, ErrorKind::unsupported)) << e.what();
      }
    }
}

TEST(Chunks, TextThatIsNoneIsRefused) {
  for (auto* chunk : {chunk_a1111, chunk_comfy}) {
    expect_error(ErrorKind::usage, {"UTF-8"}, [&] { chunk(tokenizer(), "\xff"); });
    expect_error(ErrorKind::usage, {"1048577 bytes"}, [&] { chunk(tokenizer(), std::string((1 << 20) + 1, 'a')); });
  }
}

}  // namespace
}  // namespace hayate
