// Textual inversion: how prompts find it, and bad files. That what is drawn is what diffusers draws: parity_pictures_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "core/expect_error.h"
#include "core/scratch_folder.h"
#include "hayate/inspect.h"
#include "support/random_weights.h"
#include "tokenizer/clip_tokenizer.h"
#include "weights/embedding_checkpoint.h"
#include "weights/safetensors.h"
#include "weights/safetensors_writer.h"

namespace hayate::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kModels = HAYATE_SOURCE_DIR "/tests/data/parity/", kEmber = kModels + "embeddings/ember.safetensors", kFog = kModels + "embeddings/fog-2.safetensors",
                  kToy = kModels + "embeddings/toy.safetensors";

std::vector<float> draw(Pipeline& pipeline, const std::string& prompt, PromptSyntax syntax, const std::string& negative = "") {
  Request r;
  r.pictures = {{.prompt = prompt, .negative_prompt = negative, .seed = 3}};
  r.width = 32, r.height = 32, r.steps = 1, r.prompt_syntax = syntax;
  return pipeline.generate(r).latents;
}

TEST(Embedding, EverySyntaxFindsItsWord) {
  Pipeline with({.model = kModels + "tiny-sd15", .embeddings = {kFog, kToy}, .rung = "fp32"}), without({.model = kModels + "tiny-sd15", .rung = "fp32"});
  for (PromptSyntax syntax : {PromptSyntax::diffusers, PromptSyntax::a1111, PromptSyntax::comfy}) {
    const std::vector<float> found = draw(with, "a hill in fog-2, at night", syntax);
    EXPECT_NE(found, draw(without, "a hill in fog-2, at night", syntax));
    EXPECT_EQ(draw(with, "a hill in embedding:fog-2, at night", syntax), found);
    EXPECT_EQ(draw(with, "a hill in FOG-2, at night", syntax), found);
    EXPECT_EQ(draw(with, "a <cat-toy>", syntax), draw(with, "a toy", syntax)) << "the name of the file, and the token in it";
    for (const char* other : {"a hill in fog-23", "a hill in fog", "a hill in xfog-2"}) EXPECT_EQ(draw(with, other, syntax), draw(without, other, syntax)) << other;
    EXPECT_NE(draw(with, "a hill", syntax, "fog-2"), draw(without, "a hill", syntax, "fog-2")) << "in negative prompts too";
  }
  EXPECT_NE(draw(with, "a (fog-2:1.4)", PromptSyntax::a1111), draw(with, "a fog-2", PromptSyntax::a1111));
  expect_error(ErrorKind::usage, {"embedding:mist", "no embedding of that name"}, [&] { draw(with, "a embedding:mist", PromptSyntax::comfy); });
}

TEST(Embedding, VectorsStayTogetherInOneChunk) {
  ClipTokenizer tokenizer(kModels + "tiny-sdxl/tokenizer");
  tokenizer.add_word("ember", 1000, 5);
  const std::vector<int32_t> own = {1000, 1001, 1002, 1003, 1004};
  EXPECT_EQ(tokenizer.tokenize("ember"), own);
  EXPECT_EQ(tokenizer.tokenize("Ember,ember").size(), 10 + tokenizer.tokenize(",").size());
  EXPECT_EQ(tokenizer.tokenize("embers")[0] < 1000, true);
  for (const char* bad : {"", "  ", "EMBER", "\xff"}) expect_error(ErrorKind::usage, {"word"}, [&] { tokenizer.add_word(bad, 1, 1); });
  const TokenizedPrompt cut = tokenizer.encode(std::string(100, ',') + " ember");
  EXPECT_FALSE(cut.truncated.empty());
}

TEST(Embedding, TheVectorsOfWordsDrawWhatTheWordsDraw) {
  const std::string words = "red fox in the snow";
  const auto model = open_checkpoint(kModels + "tiny-sdxl", "");
  const ScratchFolder folder;
  std::vector<TensorInfo> infos;
  std::map<std::string, std::vector<float>> rows;
  for (auto [name, encoder, tokenizer] : {std::tuple{"clip_l", "text_encoder", "tokenizer"}, {"clip_g", "text_encoder_2", "tokenizer_2"}}) {
    const std::string table = "text_model.embeddings.token_embedding.weight";
    const auto tensors = model->tensors(encoder);
    const int64_t width = tensors->dims(table)[1];
    for (int32_t id : ClipTokenizer(model->tokenizer(tokenizer)).tokenize(words)) {
      std::vector<float> row(static_cast<size_t>(width));
      tensors->read(table, Dtype::f32, std::as_writable_bytes(std::span(row)), id * width);
      rows[name].insert(rows[name].end(), row.begin(), row.end());
    }
    infos.push_back({name, Dtype::f32, {int64_t(rows[name].size()) / width, width}});
  }
  SafetensorsWriter writer(folder / "subject.safetensors", infos);
  for (const auto& [name, values] : rows) writer.write(name, std::as_bytes(std::span(values)));
  writer.commit();
  Pipeline with({.model = kModels + "tiny-sdxl", .embeddings = {folder / "subject.safetensors"}, .rung = "fp32"}), without({.model = kModels + "tiny-sdxl", .rung = "fp32"});
  for (PromptSyntax syntax : {PromptSyntax::diffusers, PromptSyntax::a1111, PromptSyntax::comfy})
    EXPECT_EQ(draw(with, "a photo of subject, at night", syntax, "subject"), draw(without, "a photo of " + words + ", at night", syntax, words));
}

TEST(Embedding, InfotextNamesThoseThatPromptsUse) {
  Pipeline pipeline({.model = kModels + "tiny-sd15", .embeddings = {kFog, kToy}});
  const std::vector<std::string> texts = pipeline.infotext({.pictures = {{.prompt = "a toy in embedding:fog-2"}, {.prompt = "a", .negative_prompt = "(Toy:1.2)"}, {.prompt = "toys"}}});
  EXPECT_THAT(texts[0], HasSubstr("Embeddings: \"fog-2, toy\""));
  EXPECT_THAT(texts[1], HasSubstr("Embeddings: toy,"));
  EXPECT_THAT(texts[2], Not(HasSubstr("Embeddings")));
}

struct Stored {
  std::string name;
  std::vector<int64_t> dims;
  float value = 0;  // of the first element, in place of a random one, unless 0
};
std::string write(const ScratchFolder& folder, const std::string& file, const std::vector<Stored>& tensors) {
  std::vector<TensorInfo> infos;
  for (const Stored& t : tensors) infos.push_back({t.name, Dtype::f32, t.dims});
  SafetensorsWriter writer(folder / file, infos);
  for (const Stored& t : tensors) {
    int64_t count = 1;
    for (int64_t d : t.dims) count *= d;
    std::vector<float> values = random_floats(t.name, count, 0, 0.03f);
    if (t.value != 0) values[0] = t.value;
    writer.write(t.name, std::as_bytes(std::span(values)));
  }
  writer.commit();
  return folder / file;
}

TEST(Embedding, BadFilesAreRefused) {
  const ScratchFolder folder;
  auto refused = [&](ErrorKind kind, std::initializer_list<const char*> mentions, const std::vector<Stored>& tensors) {
    const std::string path = write(folder, "bad.safetensors", tensors);
    expect_error(kind, mentions, [&] { Pipeline({.model = kModels + "tiny-sdxl", .embeddings = {path}}); });
  };
  refused(ErrorKind::bad_model, {"bad.safetensors", "emb_params is 17 numbers wide", "text_encoder 16, text_encoder_2 24"}, {{"emb_params", {2, 17}}});
  refused(ErrorKind::not_finite, {"clip_l", "NaN"}, {{"clip_l", {2, 16}, NAN}, {"clip_g", {2, 24}}});
  refused(ErrorKind::not_finite, {"clip_l", "infinity"}, {{"clip_l", {2, 16}, INFINITY}});
  refused(ErrorKind::bad_file, {"[76, 16]", "1 to 75"}, {{"emb_params", {76, 16}}});
  refused(ErrorKind::bad_file, {"[0, 16]"}, {{"emb_params", {0, 16}}});
  refused(ErrorKind::bad_file, {"[1, 1, 16]"}, {{"emb_params", {1, 1, 16}}});
  refused(ErrorKind::bad_file, {"[]"}, {{"emb_params", {}}});
  refused(ErrorKind::bad_file, {"[1, 20000]"}, {{"emb_params", {1, 20000}}});
  refused(ErrorKind::bad_file, {"no textual inversion"}, {{"clip_l", {1, 16}}, {"other", {1, 16}}});
  refused(ErrorKind::usage, {"no word for prompts"}, {{" ", {1, 16}}});
  const std::string whole = slurp(kEmber);
  for (size_t size : {size_t{0}, size_t{7}, whole.size() / 2, whole.size() - 1}) {
    const std::string cut = folder.write("cut.safetensors", whole.substr(0, size));
    EXPECT_THROW(Pipeline({.model = kModels + "tiny-sdxl", .embeddings = {cut}}), Error) << size;
  }
  EXPECT_THROW(Pipeline({.model = kModels + "tiny-sdxl", .embeddings = {folder / "not-there.safetensors"}}), Error);
  expect_error(ErrorKind::usage, {"ember", "twice"}, [&] { Pipeline({.model = kModels + "tiny-sdxl", .embeddings = {kEmber, kEmber}}); });
  expect_error(ErrorKind::usage, {"stay files of their own"}, [&] { convert_model({.model = kModels + "tiny-sdxl", .embeddings = {kEmber}}, folder / "out.safetensors"); });
}

TEST(Embedding, ThoseThatFitAModelAreFound) {
  const ScratchFolder folder;
  std::vector<std::string> told;
  const std::string broken = folder.write("broken.safetensors", "no such thing");
  const Options model{.model = kModels + "tiny-sd15", .warn = [&](const std::string& text) { told.push_back(text); }};
  const std::string wide = write(folder, "wide.safetensors", {{"emb_params", {2, 17}}});
  EXPECT_THAT(fitting_embeddings(model, {broken, kFog, wide, kToy}), ElementsAre(kFog, kToy));
  EXPECT_THAT(told, ElementsAre(HasSubstr("broken.safetensors"), HasSubstr("17 numbers wide")));
}

TEST(Embedding, PartsThatAreMissingAreTold) {
  const ScratchFolder folder;
  std::vector<std::string> told;
  const std::string path = write(folder, "half.safetensors", {{"clip_l", {2, 16}}});
  Pipeline pipeline({.model = kModels + "tiny-sdxl", .embeddings = {path}, .rung = "fp32", .warn = [&](const std::string& text) { told.push_back(text); }});
  EXPECT_THAT(told, Contains(HasSubstr("no vectors for text_encoder_2")));
  EXPECT_NE(draw(pipeline, "a half moon", PromptSyntax::diffusers), draw(pipeline, "a moon", PromptSyntax::diffusers));
}

TEST(Embedding, TheTableIsReadAcrossItsEnd) {
  EmbeddingCheckpoint checkpoint(open_checkpoint(kModels + "tiny-sdxl", ""), {kEmber}, {});
  const std::string table = "text_model.embeddings.token_embedding.weight";
  const auto source = checkpoint.tensors("text_encoder"), base = open_checkpoint(kModels + "tiny-sdxl", "")->tensors("text_encoder");
  const int64_t width = 16, stored = base->dims(table)[0] * width, all = stored + 3 * width;
  ASSERT_EQ(source->dims(table), (std::vector<int64_t>{base->dims(table)[0] + 3, width}));
  auto read = [](const TensorSource& s, const std::string& name, int64_t first, int64_t count) {
    std::vector<float> values(static_cast<size_t>(count));
    s.read(name, Dtype::f32, std::as_writable_bytes(std::span(values)), first);
    return values;
  };
  std::vector<float> expected = read(*base, table, 0, stored);
  const std::vector<float> added = read(SafetensorsFile(kEmber), "clip_l", 0, 3 * width);
  expected.insert(expected.end(), added.begin(), added.end());
  for (auto [first, count] : {std::pair{int64_t{0}, all}, {stored - 5, int64_t{20}}, {stored, 3 * width}, {stored + 17, int64_t{4}}, {int64_t{3}, int64_t{9}}})
    EXPECT_EQ(read(*source, table, first, count), std::vector<float>(expected.begin() + first, expected.begin() + first + count)) << first;
}

}  // namespace
}  // namespace hayate::testing
