// ClipTokenizer against transformers' CLIPTokenizer (tools/dump_tokens.py).
#include "tokenizer/clip_tokenizer.h"

#include <gtest/gtest.h>

#include <sstream>

#include "core/expect_error.h"
#include "core/json.h"
#include "core/scratch_folder.h"

namespace hayate {
namespace {

const std::string data = HAYATE_SOURCE_DIR "/tests/data/tokenizer";

// A tokenizer folder with one of the vocabularies and the JSON files that a golden entry gives.
struct TokenizerFolder : ScratchFolder {
  TokenizerFolder(const std::string& vocabulary, const Json& files) {
    for (const char* name : {"vocab.json", "merges.txt"}) write(name, slurp(vocabulary + "/" + name));
    for (const auto& [name, content] : files.items()) write(name, content.dump());
  }
  std::string path() const { return *this / ""; }
};

// Two ways to say that a character was cut in the middle.
std::string squeeze_replacements(std::string text) {
  const std::string mark = "\ufffd";
  for (size_t at; (at = text.find(mark + mark)) != text.npos;) text.erase(at, mark.size());
  return text;
}

// The prompts, by index, that do not come out as transformers has them.
std::vector<size_t> find_differences(const ClipTokenizer& tokenizer, const Json& golden, const Json& prompts) {
  std::vector<size_t> different;
  for (size_t i = 0; i < golden["ids"].size(); ++i) {
    TokenizedPrompt found = tokenizer.encode(prompts[i].get<std::string>());
    std::vector<int32_t> expected = golden["ids"][i];
    expected.resize(size_t(tokenizer.max_length()), golden["pad"]);
    std::string truncated = golden["truncated"].value(std::to_string(i), "");
    if (found.ids != expected || squeeze_replacements(found.truncated) != squeeze_replacements(truncated)) different.push_back(i);
  }
  return different;
}

void expect_equal_to_transformers(const std::string& vocabulary, const std::string& golden_file, size_t least_prompts) {
  Json prompts = read_json_file(data + "/prompts.json");
  for (const Json& golden : read_json_file(data + "/" + golden_file)) {
    TokenizerFolder folder(vocabulary, golden["files"]);
    EXPECT_GE(golden["ids"].size(), least_prompts);
    for (size_t i : find_differences(ClipTokenizer(folder.path()), golden, prompts))
      ADD_FAILURE() << golden["name"] << ", prompt " << i << ": " << excerpt(prompts[i]);
  }
}

TEST(ClipTokenizer, EqualsTransformersWithASmallVocabulary) {
  EXPECT_GE(read_json_file(data + "/prompts.json").size(), 500u);
  expect_equal_to_transformers(data + "/small", "small.json", 200);
}

TEST(ClipTokenizer, EqualsTransformersWhereTheVocabularyLacksBytes) { expect_equal_to_transformers(data + "/few", "few.json", 200); }

TEST(ClipTokenizer, EqualsTransformersWithThePublishedVocabulary) {
  const std::string vocabulary = HAYATE_SOURCE_DIR "/build/clip_tokenizer/tokenizer";
  if (!std::filesystem::exists(vocabulary)) GTEST_SKIP() << "no " << vocabulary << ": scripts/setup could not fetch it";
  expect_equal_to_transformers(vocabulary, "openai.json", 500);
}

// Faults that the comparison has to catch.
TEST(ClipTokenizer, PlantedFaultsAreFound) {
  Json prompts = read_json_file(data + "/prompts.json");
  Json golden = read_json_file(data + "/small.json")[1];
  TokenizerFolder folder(data + "/small", golden["files"]);
  ASSERT_TRUE(find_differences(ClipTokenizer(folder.path()), golden, prompts).empty());

  Json wrong_id = golden, wrong_pad = golden, wrong_truncation = golden;
  wrong_id["ids"][7][1] = wrong_id["ids"][7][1].get<int>() + 1;
  wrong_pad["pad"] = 0;
  wrong_truncation["truncated"].clear();
  for (const Json& wrong : {wrong_id, wrong_pad, wrong_truncation})
    EXPECT_FALSE(find_differences(ClipTokenizer(folder.path()), wrong, prompts).empty());

  std::istringstream lines(slurp(data + "/small/merges.txt"));
  std::string line, backwards, without_last;
  std::getline(lines, line);  // #version
  for (int i = 0; std::getline(lines, line); ++i) {
    backwards.insert(0, line + "\n");
    if (i < 1300) without_last += line + "\n";
  }
  for (const std::string& merges : {backwards, without_last}) {
    folder.write("merges.txt", merges);
    EXPECT_FALSE(find_differences(ClipTokenizer(folder.path()), golden, prompts).empty());
  }
}

TEST(ClipTokenizer, EmptyPromptIsPaddingAfterBosAndEos) {
  TokenizerFolder folder(data + "/small", Json::object());
  ClipTokenizer tokenizer(folder.path());
  TokenizedPrompt empty = tokenizer.encode("");
  ASSERT_EQ(empty.ids.size(), 77u);
  EXPECT_EQ(empty.ids[0], tokenizer.bos_id());
  EXPECT_EQ(empty.ids[1], tokenizer.eos_id());
  EXPECT_EQ(empty.ids[2], tokenizer.pad_id());
  EXPECT_EQ(empty.truncated, "");
  EXPECT_EQ(tokenizer.vocabulary_size(), tokenizer.eos_id() + 1);
}

TEST(ClipTokenizer, SaysWhatWasCut) {
  TokenizerFolder folder(data + "/small", {{"tokenizer_config.json", {{"model_max_length", 7}}}});
  ClipTokenizer tokenizer(folder.path());
  TokenizedPrompt prompt = tokenizer.encode("a a a a A cat, and a Dog");
  EXPECT_EQ(prompt.ids.size(), 7u);
  EXPECT_EQ(prompt.ids.back(), tokenizer.eos_id());
  EXPECT_EQ(prompt.truncated, "cat , and a dog");
  EXPECT_EQ(tokenizer.encode("a a a a a").truncated, "");
}

TEST(ClipTokenizer, PromptsThatAreNotTextAreUsageErrors) {
  TokenizerFolder folder(data + "/small", Json::object());
  ClipTokenizer tokenizer(folder.path());
  for (std::string_view bad : {"a\xff", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\x80"})
    expect_error(ErrorKind::usage, {"prompt", "UTF-8"}, [&] { tokenizer.encode(bad); });
  expect_error(ErrorKind::usage, {"prompt", "bytes"}, [&] { tokenizer.encode(std::string((1 << 20) + 1, 'a')); });
}

TEST(ClipTokenizer, AMegabyteIsNoTrouble) {
  TokenizerFolder folder(data + "/small", Json::object());
  ClipTokenizer tokenizer(folder.path());
  std::string word(1 << 20, 'a');  // one word: a merge that took n * n steps would take hours
  EXPECT_EQ(tokenizer.encode(word).ids.size(), 77u);
  EXPECT_EQ(tokenizer.encode(word).truncated.substr(0, 10), "aaaaaaaaaa");
}

}  // namespace
}  // namespace hayate
