// LoRAs: what is drawn with them equals peft's, the names of modules, the arithmetic of single weights, bad files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/convert.h"
#include "core/error.h"
#include "core/expect_error.h"
#include "core/scratch_folder.h"
#include "hayate/hayate.h"
#include "support/random_weights.h"
#include "weights/lora_checkpoint.h"
#include "weights/lora_source.h"
#include "weights/lora_targets.h"
#include "weights/mapped_source.h"
#include "weights/safetensors_writer.h"

namespace hayate::testing {
namespace {

const std::string data = HAYATE_SOURCE_DIR "/tests/data/", tiny = data + "parity/tiny-sdxl";
const std::string kohya = data + "lora/kohya.safetensors", peft = data + "lora/peft.safetensors";

struct Tensor {
  std::vector<int64_t> dims;
  std::vector<float> values;
};
using Tensors = std::map<std::string, Tensor>;

Tensor random_tensor(const std::string& seed, std::vector<int64_t> dims) {
  const int64_t count = element_count(dims);
  return {std::move(dims), random_floats(seed, count, 0, 0.5f)};
}

std::vector<float> read(const TensorSource& source, const std::string& name) {
  std::vector<float> values(size_t(element_count(source.dims(name))));
  source.read(name, Dtype::f32, std::as_writable_bytes(std::span(values)));
  return values;
}

Tensors read_all(const std::string& path) {
  const SafetensorsFile file(path);
  Tensors tensors;
  for (const std::string& name : file.names()) tensors[name] = {file.dims(name), read(file, name)};
  return tensors;
}

std::string write(const std::string& path, const Tensors& tensors, const std::map<std::string, std::string>& metadata = {}) {
  std::vector<TensorInfo> infos;
  for (const auto& [name, tensor] : tensors) infos.push_back({name, Dtype::f32, tensor.dims});
  SafetensorsWriter writer(path, infos, metadata);
  for (const auto& [name, tensor] : tensors) writer.write(name, std::as_bytes(std::span(tensor.values)));
  writer.commit();
  return path;
}

Result draw(const std::vector<Lora>& loras, const std::string& rung = "fp32") {
  Pipeline pipeline({.model = tiny, .loras = loras, .rung = rung});
  return pipeline.generate({.pictures = {{.prompt = "a photo of a red fox in the snow", .seed = 3, .guidance = 4}}, .width = 48, .height = 64, .steps = 4});
}

TEST(Lora, DrawsWhatPeftDraws) {
  const Tensors drawn = read_all(data + "lora/drawn.safetensors");
  ScratchFolder folder;
  Tensors text = read_all(kohya);
  std::erase_if(text, [](const auto& entry) { return !entry.first.starts_with("lora_te"); });
  EXPECT_LE(relative_l2(draw({}).latents, drawn.at("plain").values), 1e-4);
  EXPECT_LE(relative_l2(draw({{kohya, 0.7f}}).latents, drawn.at("lora").values), 1e-4);
  EXPECT_LE(relative_l2(draw({{write(folder / "text.safetensors", text), 0.7f}}).latents, drawn.at("text").values), 1e-4);
  EXPECT_GT(relative_l2(draw({{kohya, 0.6f}}).latents, drawn.at("lora").values), 1e-3);
}

TEST(Lora, BothNamingsAreOneLoraOnEveryRung) {
  for (const char* rung : {"fp32", "bf16", "attention", "projections"}) {
    SCOPED_TRACE(rung);
    const Result result = draw({{kohya, 0.7f}}, rung);
    EXPECT_EQ(result.latents, draw({{peft, 0.7f}}, rung).latents);
    const std::vector<float> plain = draw({}, rung).latents;
    EXPECT_EQ(draw({{kohya, 0}}, rung).latents, plain);
    EXPECT_GT(relative_l2(result.latents, plain), 0.1);
  }
}

TEST(Lora, SeveralAddUpAndAreNamedInTheInfotext) {
  const Result both = draw({{kohya, 0.5f}, {peft, 0.25f}, {kohya, -0.05f}});
  EXPECT_LE(relative_l2(both.latents, draw({{kohya, 0.7f}}).latents), 1e-5);
  EXPECT_THAT(both.infotext[0], ::testing::HasSubstr("Loras: \"kohya:0.5, peft:0.25, kohya:-0.05\""));
}

TEST(LoraTargets, NamesOfTheCommonPrograms) {
  const std::unique_ptr<Checkpoint> model = open_checkpoint(tiny, "");
  const LoraTargets targets(*model);
  struct Case {
    const char *name, *component, *weight;
  };
  const char* to_q = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.weight";
  for (const Case& c : {Case{"lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q", "unet", to_q},
                        {"lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q", "unet", to_q},
                        {"unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q", "unet", to_q},
                        {"base_model.model.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q", "unet", to_q},
                        {"lora_unet_middle_block_1_proj_in", "unet", "mid_block.attentions.0.proj_in.weight"},
                        {"lora_unet_input_blocks_3_0_op", "unet", "down_blocks.0.downsamplers.0.conv.weight"},
                        {"lora_unet_output_blocks_2_2_conv", "unet", "up_blocks.0.upsamplers.0.conv.weight"},
                        {"lora_unet_input_blocks_1_0_emb_layers_1", "unet", "down_blocks.0.resnets.0.time_emb_proj.weight"},
                        {"lora_unet_label_emb_0_2", "unet", "add_embedding.linear_2.weight"},
                        {"lora_te_text_model_encoder_layers_0_mlp_fc1", "text_encoder", "text_model.encoder.layers.0.mlp.fc1.weight"},
                        {"lora_te1_text_model_encoder_layers_0_mlp_fc1", "text_encoder", "text_model.encoder.layers.0.mlp.fc1.weight"},
                        {"lora_te2_text_model_encoder_layers_3_self_attn_q_proj", "text_encoder_2", "text_model.encoder.layers.3.self_attn.q_proj.weight"},
                        {"text_encoder.text_model.encoder.layers.1.mlp.fc2", "text_encoder", "text_model.encoder.layers.1.mlp.fc2.weight"},
                        {"text_encoder.encoder.layers.1.mlp.fc2", "text_encoder", "text_model.encoder.layers.1.mlp.fc2.weight"}}) {
    const LoraTargets::Target* found = targets.find(c.name);
    ASSERT_TRUE(found) << c.name;
    EXPECT_EQ(found->component, c.component) << c.name;
    EXPECT_EQ(found->weight, c.weight) << c.name;
  }
  for (const char* name : {"", "lora_unet_", "lora_unet_input_blocks_0_0_bias", "lora_te3_text_model_encoder_layers_0_mlp_fc1", "vae.decoder.conv_in",
                           "lora_unet_down_blocks_0_attentions_0_proj_in", "unet.down_blocks.1.attentions.0.norm"})
    EXPECT_FALSE(targets.find(name)) << name;
}

TEST(LoraFile, EndingsOfTheCommonPrograms) {
  ScratchFolder folder;
  const std::string attention = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.";
  for (auto [down, up, module] : std::initializer_list<std::array<std::string, 3>>{
           {"a_b.lora_down.weight", "a_b.lora_up.weight", "a_b"},
           {"a.b.lora_A.weight", "a.b.lora_B.weight", "a.b"},
           {"a.b.lora_A.default.weight", "a.b.lora_B.default.weight", "a.b"},
           {"a.b.lora.down.weight", "a.b.lora.up.weight", "a.b"},
           {"a.b.lora_linear_layer.down.weight", "a.b.lora_linear_layer.up.weight", "a.b"},
           {attention + "processor.to_out_lora.down.weight", attention + "processor.to_out_lora.up.weight", attention + "to_out.0"}}) {
    const LoraFile lora = read_lora(write(folder / "a.safetensors", {{down, random_tensor(down, {1, 2})}, {up, random_tensor(up, {2, 1})}, {"other", {{}, {1}}}}));
    ASSERT_EQ(lora.modules.size(), 1u);
    EXPECT_EQ(lora.modules[0].name, module);
    EXPECT_EQ(lora.modules[0].down, down);
    EXPECT_EQ(lora.modules[0].up, up);
    EXPECT_FALSE(lora.modules[0].alpha);
    EXPECT_EQ(lora.unknown, std::vector<std::string>{"other"});
  }
}

TEST(LoraFile, AlphaOfDiffusersMetadata) {
  ScratchFolder folder;
  Tensors tensors;
  for (const char* name : {"unet.a.lora_A.weight", "unet.a.lora_B.weight", "text_encoder.a.lora_A.weight", "text_encoder.a.lora_B.weight"})
    tensors[name] = random_tensor(name, {2, 2});
  const auto open = [&](const char* metadata) { return read_lora(write(folder / "a.safetensors", tensors, {{"lora_adapter_metadata", metadata}})); };
  const LoraFile lora = open(R"({"unet.r": 2, "unet.lora_alpha": 8, "unet.alpha_pattern": {}, "unet.use_rslora": false})");
  ASSERT_EQ(lora.modules.size(), 2u);
  EXPECT_FALSE(lora.modules[0].alpha);
  EXPECT_EQ(lora.modules[1].alpha, 8.0f);
  expect_error(ErrorKind::unsupported, {"a.safetensors", "alpha_pattern"}, [&] { open(R"({"unet.alpha_pattern": {"a": 4}})"); });
  expect_error(ErrorKind::unsupported, {"a.safetensors", "use_rslora"}, [&] { open(R"({"text_encoder.use_rslora": true})"); });
  expect_error(ErrorKind::bad_file, {"a.safetensors", "lora_alpha"}, [&] { open(R"({"unet.lora_alpha": "8"})"); });
  expect_error(ErrorKind::bad_file, {"a.safetensors", "lora_adapter_metadata"}, [&] { open("{"); });
}

// A weight of tensors in memory, merged, against sums written out.
struct Merged {
  ScratchFolder folder;
  Tensor base;
  std::shared_ptr<const TensorSource> source;

  Merged(std::vector<int64_t> dims, const Tensors& lora, float weight) : base(random_tensor("base", std::move(dims))) {
    auto file = std::make_shared<SafetensorsFile>(write(folder / "base.safetensors", {{"w", base}}));
    const LoraFile read = read_lora(write(folder / "lora.safetensors", lora));
    source = std::make_shared<LoraSource>(file, std::map<std::string, std::vector<LoraDelta>>{{"w", {LoraDelta(read.tensors, read.modules[0], "w", base.dims, weight)}}});
  }
};

TEST(LoraSource, AFilterBetweenTheMatrices) {
  constexpr int64_t out = 5, in = 7, up_rank = 3, rank = 6, area = 9;
  const Tensor up = random_tensor("up", {out, up_rank, 1, 1}), mid = random_tensor("mid", {up_rank, rank, 3, 3}), down = random_tensor("down", {rank, in, 1, 1});
  const Merged merged({out, in, 3, 3}, {{"m.lora_up.weight", up}, {"m.lora_mid.weight", mid}, {"m.lora_down.weight", down}, {"m.alpha", {{}, {1.5f}}}}, 2);
  std::vector<float> expected = merged.base.values;
  for (int64_t o = 0; o < out; ++o)
    for (int64_t i = 0; i < in; ++i)
      for (int64_t k = 0; k < area; ++k) {
        double sum = 0;
        for (int64_t p = 0; p < up_rank; ++p)
          for (int64_t q = 0; q < rank; ++q)
            sum += double(up.values[size_t(o * up_rank + p)]) * mid.values[size_t((p * rank + q) * area + k)] * down.values[size_t(q * in + i)];
        expected[size_t((o * in + i) * area + k)] += float(2 * 1.5 / double(rank) * sum);
      }
  EXPECT_LE(relative_l2(read(*merged.source, "w"), expected), 1e-6);
}

TEST(LoraSource, AnyRangeOfAnyTypeIsThatOfTheWhole) {
  for (int64_t rank : {1, 4, 7}) {
    const Merged merged({40, 3000}, {{"m.lora_A.weight", random_tensor("a", {rank, 3000})}, {"m.lora_B.weight", random_tensor("b", {40, rank})}}, 1);
    const std::vector<float> whole = read(*merged.source, "w");  // in more than one piece
    const Tensor up = random_tensor("b", {40, rank}), down = random_tensor("a", {rank, 3000});
    std::vector<float> expected = merged.base.values;
    for (int64_t i = 0; i < 40 * 3000; ++i)
      for (int64_t r = 0; r < rank; ++r) expected[size_t(i)] += up.values[size_t(i / 3000 * rank + r)] * down.values[size_t(r * 3000 + i % 3000)];
    EXPECT_LE(relative_l2(whole, expected), 1e-6);
    for (auto [first, count] : {std::pair(0, 1), {2999, 2}, {3001, 5997}, {119999, 1}, {17, 0}, {65536, 9}}) {
      std::vector<float> some(static_cast<size_t>(count));
      merged.source->read("w", Dtype::f32, std::as_writable_bytes(std::span(some)), first);
      EXPECT_TRUE(std::ranges::equal(some, std::span(whole).subspan(size_t(first), size_t(count)))) << first;
      std::vector<std::byte> low(some.size() * 2), rounded(some.size() * 2);
      merged.source->read("w", Dtype::bf16, low, first);
      convert(Dtype::f32, std::as_bytes(std::span(some)), Dtype::bf16, rounded);
      EXPECT_EQ(low, rounded) << first;
    }
  }
}

TEST(LoraSource, AlphaThatIsMissingOrZeroIsTheRank) {
  const Tensor a = random_tensor("a", {4, 6}), b = random_tensor("b", {5, 4});
  const auto with = [&](Tensors alpha) {
    alpha["m.lora_down.weight"] = a, alpha["m.lora_up.weight"] = b;
    return read(*Merged({5, 6}, alpha, 1).source, "w");
  };
  const std::vector<float> missing = with({});
  EXPECT_EQ(with({{"m.alpha", {{}, {0}}}}), missing);
  EXPECT_EQ(with({{"m.alpha", {{1}, {4}}}}), missing);
  EXPECT_NE(with({{"m.alpha", {{}, {2}}}}), missing);
}

TEST(Lora, BadFilesAreNamed) {
  ScratchFolder folder;
  std::vector<std::string> warnings;
  const auto open = [&](const Tensors& tensors) {
    return LoraCheckpoint(open_checkpoint(tiny, ""), {{write(folder / "bad.safetensors", tensors), 1}}, [&](const std::string& text) { warnings.push_back(text); });
  };
  const std::string module = "lora_unet_mid_block_attentions_0_proj_in", same = "unet.mid_block.attentions.0.proj_in";  // (24, 24)
  const auto pair = [](const std::string& name, int64_t rank, int64_t in, int64_t out) {
    return Tensors{{name + ".lora_down.weight", random_tensor("a", {rank, in})}, {name + ".lora_up.weight", random_tensor("b", {out, rank})}};
  };
  const auto with = [](Tensors tensors, const std::string& name, Tensor tensor) {
    tensors[name] = std::move(tensor);
    return tensors;
  };
  const Tensors good = pair(module, 30, 24, 24);  // of more rank than it can have
  EXPECT_NO_THROW(open(good));
  EXPECT_TRUE(warnings.empty());

  const char* file = "bad.safetensors";
  expect_error(ErrorKind::bad_model, {file, "lora_down", "(2, 32)", "mid_block.attentions.0.proj_in.weight", "(24, 24)", "(2, 24, 1, 1)"},
               [&] { open(pair(module, 2, 32, 24)); });
  expect_error(ErrorKind::bad_model, {file, "lora_up", "(25, 2)"}, [&] { open(pair(module, 2, 24, 25)); });
  expect_error(ErrorKind::bad_model, {file, "lora_up", "(24, 3)"}, [&] { open(with(pair(module, 2, 24, 24), module + ".lora_up.weight", random_tensor("c", {24, 3}))); });
  expect_error(ErrorKind::bad_model, {file, "rank 0"}, [&] { open(pair(module, 0, 24, 24)); });
  expect_error(ErrorKind::bad_model, {file, "3 dimensions"}, [&] { open(with(good, module + ".lora_up.weight", random_tensor("c", {24, 30, 1}))); });
  expect_error(ErrorKind::bad_model, {file, "lora_mid"}, [&] { open(with(good, module + ".lora_mid.weight", random_tensor("c", {30, 30, 3, 3}))); });
  expect_error(ErrorKind::bad_file, {file, "no up"}, [&] { open({{module + ".lora_down.weight", random_tensor("a", {2, 24})}}); });
  expect_error(ErrorKind::bad_file, {file, "lora_A", "lora_down"}, [&] { open(with(good, module + ".lora_A.weight", random_tensor("a", {30, 24}))); });
  expect_error(ErrorKind::bad_file, {file, "are both for"}, [&] {
    Tensors twice = pair(same, 2, 24, 24);
    twice.merge(Tensors(good));
    open(twice);
  });
  expect_error(ErrorKind::bad_file, {file, "alpha", "dimension of 2"}, [&] { open(with(good, module + ".alpha", {{2}, {1, 1}})); });
  expect_error(ErrorKind::not_finite, {file, "alpha", "nan"}, [&] { open(with(good, module + ".alpha", {{}, {NAN}})); });
  for (const char* other : {".dora_scale", ".hada_w1_a", ".lokr_w1", ".diff"})
    expect_error(ErrorKind::unsupported, {file, other}, [&] { open(with(good, module + other, random_tensor("c", {24}))); });
  expect_error(ErrorKind::bad_model, {file, "fits nothing", "lora_unet_nowhere", tiny.c_str()}, [&] { open(pair("lora_unet_nowhere", 2, 24, 24)); });
  expect_error(ErrorKind::bad_model, {"model.safetensors", "is not a LoRA", "CLIP"},
               [&] { LoraCheckpoint(open_checkpoint(tiny, ""), {{tiny + "/text_encoder_2/model.safetensors", 1}}, {}); });
  const std::string whole = slurp(kohya);
  expect_error(ErrorKind::bad_file, {"cut.safetensors", "cut short"},
               [&] { read_lora(folder.write("cut.safetensors", std::string_view(whole).substr(0, whole.size() - 9))); });
  expect_error(ErrorKind::usage, {"kohya.safetensors", "nan"}, [&] { draw({{kohya, NAN}}); });

  EXPECT_TRUE(warnings.empty());
  Tensors more = good;
  for (const char* name : {"lora_unet_x1", "lora_unet_x2", "lora_unet_x3", "lora_unet_x4", "lora_unet_x5"}) more.merge(pair(name, 2, 24, 24));
  open(more);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_THAT(warnings[0], ::testing::AllOf(::testing::HasSubstr(file), ::testing::HasSubstr("lora_unet_x1"), ::testing::HasSubstr("and 2 more")));

  Tensors nan = good;
  nan[module + ".lora_up.weight"].values[77] = NAN;
  const LoraCheckpoint model = open(nan);
  expect_error(ErrorKind::not_finite, {file, "lora_up"}, [&] { read(*model.tensors("unet"), "mid_block.attentions.0.proj_in.weight"); });
}

}  // namespace
}  // namespace hayate::testing
