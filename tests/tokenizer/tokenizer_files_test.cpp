// Tokenizer folders that must be refused, with errors that say where and why.
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "core/json.h"
#include "core/scratch_folder.h"
#include "tokenizer/clip_tokenizer.h"

namespace hayate {
namespace {

struct SmallFolder : ScratchFolder {
  Json vocabulary = {{"a", 0}, {"b", 1}, {"b</w>", 2}, {"ab</w>", 3}, {"<|startoftext|>", 4}, {"<|endoftext|>", 5}};
  std::string merges = "#version: 0.2\na b</w>\n";

  ClipTokenizer load() const {
    write("vocab.json", vocabulary.dump());
    write("merges.txt", merges);
    return ClipTokenizer(*this / "");
  }
  void expect_refused(ErrorKind kind, std::initializer_list<const char*> mentions) const {
    expect_error(kind, mentions, [&] { load(); });
  }
};

TEST(TokenizerFiles, TheSmallestFolderLoads) {
  SmallFolder folder;
  ClipTokenizer tokenizer = folder.load();
  std::vector<int32_t> ids = tokenizer.encode("AB b").ids;
  EXPECT_EQ(std::vector<int32_t>(ids.begin(), ids.begin() + 4), (std::vector<int32_t>{4, 3, 2, 5}));
}

TEST(TokenizerFiles, MissingFilesAreNamed) {
  ScratchFolder folder;
  expect_error(ErrorKind::not_found, {"vocab.json"}, [&] { ClipTokenizer(folder / ""); });
  folder.write("vocab.json", R"({"<|startoftext|>":0,"<|endoftext|>":1})");
  expect_error(ErrorKind::not_found, {"merges.txt"}, [&] { ClipTokenizer(folder / ""); });
}

TEST(TokenizerFiles, VocabularyIdsAreEachOnceFromZero) {
  auto refused = [](const char* token, const Json& id, std::initializer_list<const char*> mentions) {
    SmallFolder folder;
    folder.vocabulary[token] = id;
    folder.expect_refused(ErrorKind::bad_file, mentions);
  };
  refused("a", 6, {"vocab.json", "\"a\"", "6", "from 0 to 5"});  // a hole at 0
  refused("a", 1, {"vocab.json", "\"a\"", "\"b\"", "id 1"});
  refused("a", -1, {"vocab.json", "\"a\"", "-1"});
  refused("a", 0.5, {"vocab.json", "\"a\"", "0.5"});
  refused("a", "0", {"vocab.json", "\"a\""});
  refused("a", nullptr, {"vocab.json", "\"a\"", "null"});
  refused("a", uint64_t{1} << 63, {"vocab.json", "\"a\""});
  refused(std::string(2000, 'x').c_str(), 6, {"vocab.json", "2000 bytes"});
}

TEST(TokenizerFiles, VocabulariesThatAreNoneAreRefused) {
  for (const char* text : {"[]", "{}", "7", "{\"a\":0", "", "{\"a\":0,\"a\":0}"}) {
    ScratchFolder folder;
    folder.write("vocab.json", text);
    folder.write("merges.txt", "");
    expect_error(ErrorKind::bad_file, {"vocab.json"}, [&] { ClipTokenizer(folder / ""); });
  }
}

TEST(TokenizerFiles, SpecialTokensMustBeThere) {
  SmallFolder folder;
  folder.vocabulary = {{"a", 0}, {"b", 1}, {"b</w>", 2}, {"ab</w>", 3}, {"<|endoftext|>", 4}};
  folder.expect_refused(ErrorKind::bad_file, {"vocab.json", "<|startoftext|>"});
  folder.vocabulary = {{"a", 0}, {"b", 1}, {"b</w>", 2}, {"ab</w>", 3}, {"<|startoftext|>", 4}};
  folder.expect_refused(ErrorKind::bad_file, {"vocab.json", "<|endoftext|>"});
}

TEST(TokenizerFiles, MergesAreTwoKnownTokensALine) {
  auto refused = [](const std::string& merges, std::initializer_list<const char*> mentions) {
    SmallFolder folder;
    folder.merges = merges;
    folder.expect_refused(ErrorKind::bad_file, mentions);
  };
  refused("#version: 0.2\na b</w>\nab\n", {"merges.txt", "line 3"});
  refused("a b</w>\n\n", {"merges.txt", "line 2"});
  refused("a  b</w>\n", {"merges.txt", "line 1"});
  refused("a b b</w>\n", {"merges.txt", "line 1"});
  refused("a z\n", {"merges.txt", "line 1", "\"z\""});
  refused("b b</w>\n", {"merges.txt", "line 1", "\"bb</w>\""});
  refused("a \xff\n", {"merges.txt", "line 1"});
  SmallFolder folder;
  folder.merges = "#version: 0.2\r\na b</w>";
  EXPECT_EQ(folder.load().encode("ab").ids[1], 3);
}

TEST(TokenizerFiles, SettingsThatAreWrongAreNamed) {
  auto refused = [](ErrorKind kind, const char* file, const Json& content, std::initializer_list<const char*> mentions) {
    SmallFolder folder;
    folder.write(file, content.dump());
    folder.expect_refused(kind, mentions);
  };
  const char* config = "tokenizer_config.json";
  refused(ErrorKind::bad_file, config, {{"pad_token", 7}}, {config, "\"pad_token\"", "7"});
  refused(ErrorKind::bad_file, config, {{"pad_token", {{"text", "!"}}}}, {config, "\"pad_token\"", "\"content\""});
  refused(ErrorKind::bad_file, config, {{"pad_token", ""}}, {config, "empty"});
  refused(ErrorKind::bad_file, config, {{"pad_token", "!"}}, {"vocab.json", "!"});
  refused(ErrorKind::unsupported, config, {{"pad_token", {{"content", "a"}, {"lstrip", true}}}}, {config, "\"pad_token\"", "\"lstrip\""});
  refused(ErrorKind::unsupported, config, {{"additional_special_tokens", {"x"}}}, {config, "\"additional_special_tokens\""});
  refused(ErrorKind::bad_file, config, {{"model_max_length", 2}}, {config, "\"model_max_length\""});
  refused(ErrorKind::bad_file, config, {{"added_tokens_decoder", {{"x", {{"content", "a"}}}}}}, {config, "added_tokens_decoder", "\"x\""});
  refused(ErrorKind::bad_file, config, {{"added_tokens_decoder", {{"3", {{"content", "a"}}}}}}, {"\"a\"", "3", "0"});
  refused(ErrorKind::bad_file, config, {{"added_tokens_decoder", {{"9", {{"content", "new"}}}}}}, {"\"new\""});
  refused(ErrorKind::bad_file, config, Json::array(), {config});
  refused(ErrorKind::bad_file, "special_tokens_map.json", {{"eos_token", "?"}}, {"vocab.json", "?"});
  refused(ErrorKind::bad_file, "added_tokens.json", {{"new", "six"}}, {"added_tokens.json", "\"new\""});
}

TEST(TokenizerFiles, AnUnstatedLengthIs77) {
  SmallFolder folder;
  EXPECT_EQ(folder.load().max_length(), 77);
  folder.write("tokenizer_config.json", R"({"model_max_length": 1000000000000000019884624838656})");
  EXPECT_EQ(folder.load().max_length(), 77);
}

}  // namespace
}  // namespace hayate
