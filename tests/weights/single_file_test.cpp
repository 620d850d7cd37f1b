// What a single file says beside its shapes: which kind of prediction, which layers are used, which vocabulary.
#include <cmath>

#include "core/expect_error.h"
#include "core/scratch_folder.h"
#include "weights/safetensors_writer.h"
#include "weights/single_file_checkpoint.h"

namespace hayate {
namespace {

using Shapes = std::map<std::string, std::vector<int64_t>>;
const std::string unet = "model.diffusion_model.";

// Values alternate around zero, `spread` away from it.
std::unique_ptr<Checkpoint> open_file(const ScratchFolder& folder, const Shapes& shapes, float spread = 1,
                                      std::map<std::string, std::string> metadata = {}) {
  std::vector<TensorInfo> tensors;
  for (const auto& [name, dims] : shapes) tensors.push_back({name, Dtype::f32, dims});
  std::filesystem::remove(folder / "f.safetensors");
  SafetensorsWriter writer(folder / "f.safetensors", tensors, metadata);
  for (const TensorInfo& t : tensors) {
    std::vector<float> values(1);
    for (int64_t d : t.dims) values.resize(values.size() * size_t(d));
    for (size_t i = 0; i < values.size(); ++i) values[i] = i % 2 ? spread : -spread;
    writer.write(t.name, std::as_bytes(std::span(values)));
  }
  writer.commit();
  return open_checkpoint(folder / "f.safetensors", folder / "vocabularies");
}

Shapes sdxl(std::initializer_list<const char*> more = {}) {
  Shapes shapes = {{unet + "input_blocks.0.0.weight", {2, 4, 3, 3}},
                   {unet + "label_emb.0.0.weight", {8, 2816}},
                   {"conditioner.embedders.1.model.ln_final.bias", {8}}};
  for (const char* name : more) shapes[name] = {};
  return shapes;
}

TEST(SingleFile, AnXlFileSaysThatItPredictsVelocity) {
  ScratchFolder folder;
  auto prediction = [](const Checkpoint& model) { return model.config("scheduler").string("prediction_type"); };
  EXPECT_EQ(prediction(*open_file(folder, sdxl())), "epsilon");
  EXPECT_EQ(prediction(*open_file(folder, sdxl(), 1, {{"modelspec.prediction_type", "epsilon"}})), "epsilon");
  EXPECT_EQ(prediction(*open_file(folder, sdxl(), 1, {{"modelspec.prediction_type", "v"}})), "v_prediction");
  const auto plain = open_file(folder, sdxl({"v_pred"}))->config("scheduler");
  EXPECT_EQ(plain.string("prediction_type"), "v_prediction");
  EXPECT_FALSE(plain.boolean("rescale_betas_zero_snr", false));
  EXPECT_EQ(plain.string("timestep_spacing"), "leading");
  const auto zero_snr = open_file(folder, sdxl({"v_pred", "ztsnr"}))->config("scheduler");
  EXPECT_TRUE(zero_snr.boolean("rescale_betas_zero_snr"));
  EXPECT_EQ(zero_snr.string("timestep_spacing"), "trailing");
}

Shapes sd2() {
  Shapes shapes = {{unet + "input_blocks.0.0.weight", {2, 4, 3, 3}},
                   {"cond_stage_model.model.text_projection", {4, 4}},
                   {"cond_stage_model.model.logit_scale", {}}};
  for (int i = 0; i < 12; ++i) {
    const std::string block = unet + "output_blocks." + std::to_string(i);
    shapes[block + ".0.in_layers.0.bias"] = {2};
    if (i >= 3) shapes[block + ".1.norm.bias"] = {2};
    if (i % 3 == 2 && i < 11) shapes[block + (i == 2 ? ".1" : ".2") + ".conv.bias"] = {2};
  }
  shapes[unet + "output_blocks.11.1.transformer_blocks.0.norm1.bias"] = {64};
  for (int i = 0; i < 24; ++i) shapes["cond_stage_model.model.transformer.resblocks." + std::to_string(i) + ".ln_1.bias"] = {4};
  return shapes;
}

TEST(SingleFile, TheWeightsOfStableDiffusion2SayWhatItPredicts) {
  ScratchFolder folder;
  EXPECT_EQ(open_file(folder, sd2(), 0.05f)->config("scheduler").string("prediction_type"), "epsilon");
  EXPECT_EQ(open_file(folder, sd2(), 0.2f)->config("scheduler").string("prediction_type"), "v_prediction");
}

TEST(SingleFile, TheLastLayerOfTheEncoderOfStableDiffusion2IsNotUsed) {
  ScratchFolder folder;
  const auto text = open_file(folder, sd2())->tensors("text_encoder");
  EXPECT_EQ(text->names().size(), 23u);
  EXPECT_TRUE(text->has("text_model.encoder.layers.22.layer_norm1.bias"));
  EXPECT_FALSE(text->has("text_model.encoder.layers.23.layer_norm1.bias"));
}

TEST(SingleFile, AMissingPartIsNamedWithItsFlag) {
  ScratchFolder folder;
  const auto model = open_file(folder, sdxl());
  expect_error(ErrorKind::bad_model, {"f.safetensors", "no vae", "--vae"}, [&] { model->tensors("vae"); });
  expect_error(ErrorKind::bad_model, {"no text_encoder", "--text-encoder"}, [&] { model->config("text_encoder"); });
}

TEST(SingleFile, AVocabularyBesideTheFileWins) {
  ScratchFolder folder;
  const auto model = open_file(folder, sdxl());
  expect_error(ErrorKind::not_found, {"f.safetensors", "vocabularies/tokenizer_2", "scripts/setup"}, [&] { model->tokenizer("tokenizer_2"); });
  for (const char* name : {"vocabularies/tokenizer/vocab.json", "vocabularies/tokenizer_2/vocab.json"}) folder.write(name, "{}");
  EXPECT_EQ(model->tokenizer("tokenizer"), folder / "vocabularies/tokenizer");
  EXPECT_EQ(model->tokenizer("tokenizer_2"), folder / "vocabularies/tokenizer_2");
  folder.write("tokenizer/vocab.json", "{}");
  EXPECT_EQ(model->tokenizer("tokenizer"), folder / "tokenizer");
  EXPECT_EQ(open_file(folder, sd2())->tokenizer("tokenizer"), folder / "tokenizer");
  std::filesystem::remove_all(folder / "tokenizer");
  EXPECT_EQ(open_file(folder, sd2())->tokenizer("tokenizer"), folder / "vocabularies/tokenizer_2");  // filled up with "!"
}

TEST(SingleFile, AVocabularyOfItsOwnHasToBeBesideTheFile) {
  ScratchFolder folder;
  for (const char* name : {"vocabularies/tokenizer/vocab.json", "vocabularies/tokenizer_2/vocab.json"}) folder.write(name, "{}");
  auto open = [&](int tokens) {
    Shapes shapes = sdxl();
    shapes["conditioner.embedders.0.transformer.text_model.embeddings.token_embedding.weight"] = {tokens, 2};
    return open_file(folder, shapes);
  };
  EXPECT_EQ(open(49408)->tokenizer("tokenizer"), folder / "vocabularies/tokenizer");
  for (int tokens : {1000, 49407, 49409})
    expect_error(ErrorKind::not_found, {"f.safetensors", std::to_string(tokens).c_str(), "49408", "vocab.json", (folder / "tokenizer").c_str()},
                 [&] { open(tokens)->tokenizer("tokenizer"); });
  EXPECT_EQ(open(1000)->tokenizer("tokenizer_2"), folder / "vocabularies/tokenizer_2");
  folder.write("tokenizer/vocab.json", "{}");
  EXPECT_EQ(open(1000)->tokenizer("tokenizer"), folder / "tokenizer");
}

TEST(SingleFile, MetadataThatIsNoConfigIsRefused) {
  ScratchFolder folder;
  for (const char* text : {"[]", "{", "1", ""})
    expect_error(ErrorKind::bad_file, {"hayate.configs"}, [&] { open_file(folder, sdxl(), 1, {{"hayate.configs", text}}); });
  const auto model = open_file(folder, sdxl(), 1, {{"hayate.configs", R"({"unet": 7, "scheduler": {"prediction_type": "sample"}})"}});
  EXPECT_EQ(model->config("scheduler").string("prediction_type"), "sample");
  EXPECT_THROW(model->config("unet"), Error);
}

TEST(SingleFile, AScaleWithoutItsWeightIsRefused) {
  ScratchFolder folder;
  Shapes shapes = sdxl();
  shapes[unet + "out.2.scale_weight"] = {};
  expect_error(ErrorKind::bad_model, {"f.safetensors", "out.2.scale_weight", "out.2.weight", "missing"}, [&] { open_file(folder, shapes); });
}

}  // namespace
}  // namespace hayate
