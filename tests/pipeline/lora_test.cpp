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

TEST(Lora, OtherAdaptersDrawWhatPeftDraws) {
  const Tensors drawn = read_all(data + "lora/drawn.safetensors");
  for (const std::string kind : {"dora", "loha", "lokr"}) {
    SCOPED_TRACE(kind);
    const std::string file = data + "lora/" + kind + ".safetensors";
    const std::vector<float>& expected = drawn.at(kind).values;
    EXPECT_GT(relative_l2(drawn.at("plain").values, expected), 0.1);
    EXPECT_LE(relative_l2(draw({{file}}).latents, expected), 1e-4);
    EXPECT_GT(relative_l2(draw({{file, 0.9f}}).latents, expected), 1e-3);
    EXPECT_EQ(draw({{file, 0}}).latents, draw({}).latents);
  }
}

TEST(Lora, TextEncodersHaveAWeightOfTheirOwn) {
  ScratchFolder folder;
  Tensors text = read_all(kohya), unet = text;
  std::erase_if(text, [](const auto& entry) { return !entry.first.starts_with("lora_te"); });
  std::erase_if(unet, [](const auto& entry) { return entry.first.starts_with("lora_te"); });
  const std::string text_file = write(folder / "text.safetensors", text), unet_file = write(folder / "unet.safetensors", unet);
  EXPECT_EQ(draw({{kohya, 0.7f, 0.3f}}).latents, draw({{text_file, 0.3f}, {unet_file, 0.7f}}).latents);
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
    EXPECT_EQ(lora.modules[0].first.down, down);
    EXPECT_EQ(lora.modules[0].first.up, up);
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
    auto merges = std::make_shared<LoraMerges>();
    merges->emplace("w", LoraMerge(read.tensors, read.modules[0], {"w", base.dims}, weight));
    source = std::make_shared<LoraSource>(file, merges);
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

// What a merge makes of a weight of dims (out, in, height, width), by the formula written out.
std::vector<double> widened(const Tensor& t) { return {t.values.begin(), t.values.end()}; }

TEST(LoraSource, LohaWithFilters) {
  constexpr int64_t out = 5, in = 7, rank = 3, area = 6;
  Tensors lora{{"m.alpha", {{}, {1.5f}}}};
  std::vector<double> product(size_t(out * in * area), 1.0);
  for (const std::string number : {"1", "2"}) {
    const Tensor t = random_tensor("t" + number, {rank, rank, 2, 3}), a = random_tensor("a" + number, {rank, out}), b = random_tensor("b" + number, {rank, in});
    lora["m.hada_t" + number] = t, lora["m.hada_w" + number + "_a"] = a, lora["m.hada_w" + number + "_b"] = b;
    for (int64_t o = 0; o < out; ++o)
      for (int64_t i = 0; i < in; ++i)
        for (int64_t k = 0; k < area; ++k) {
          double sum = 0;
          for (int64_t p = 0; p < rank; ++p)
            for (int64_t q = 0; q < rank; ++q)
              sum += double(t.values[size_t((p * rank + q) * area + k)]) * b.values[size_t(q * in + i)] * a.values[size_t(p * out + o)];
          product[size_t((o * in + i) * area + k)] *= sum;
        }
  }
  const Merged merged({out, in, 2, 3}, lora, 2);
  std::vector<float> expected = merged.base.values;
  for (size_t i = 0; i < expected.size(); ++i) expected[i] += float(2 * 1.5 / double(rank) * product[i]);
  EXPECT_LE(relative_l2(read(*merged.source, "w"), expected), 1e-6);
}

// (8 x 10) of (2 x 5) and (4 x 2, each 3x3): the second whole, or a product with a filter or without.
TEST(LoraSource, LokrOfEveryForm) {
  constexpr int64_t a = 2, b = 5, c = 4, d = 2, area = 9, rank = 3;
  const Tensor w1 = random_tensor("w1", {a, b}), w1_a = random_tensor("w1a", {a, rank}), w1_b = random_tensor("w1b", {rank, b});
  const Tensor w2 = random_tensor("w2", {c, d, 3, 3}), w2_a = random_tensor("w2a", {c, rank}), w2_b = random_tensor("w2b", {rank, d * area});
  const Tensor t2 = random_tensor("t2", {rank, rank, 3, 3}), turned = random_tensor("turned", {rank, c}), inputs = random_tensor("inputs", {rank, d});
  std::vector<double> low(size_t(a * b)), flat(size_t(c * d * area)), tucker = flat;
  for (int64_t i = 0; i < a * b; ++i)
    for (int64_t r = 0; r < rank; ++r) low[size_t(i)] += double(w1_a.values[size_t(i / b * rank + r)]) * w1_b.values[size_t(r * b + i % b)];
  for (int64_t i = 0; i < c * d * area; ++i)
    for (int64_t r = 0; r < rank; ++r) {
      flat[size_t(i)] += double(w2_a.values[size_t(i / (d * area) * rank + r)]) * w2_b.values[size_t(r * d * area + i % (d * area))];
      for (int64_t q = 0; q < rank; ++q)
        tucker[size_t(i)] += double(turned.values[size_t(r * c + i / (d * area))]) * t2.values[size_t((r * rank + q) * area + i % area)] *
                             inputs.values[size_t(q * d + i / area % d)];
    }
  struct Form {
    Tensors tensors;
    std::vector<double> left, right;
    double scale;
  };
  for (const Form& form : {Form{{{"m.lokr_w1", w1}, {"m.lokr_w2", w2}}, widened(w1), widened(w2), 1},  // alpha says nothing where nothing has a rank
                           {{{"m.lokr_w1_a", w1_a}, {"m.lokr_w1_b", w1_b}, {"m.lokr_w2", w2}}, low, widened(w2), 1.5 / rank},
                           {{{"m.lokr_w1", w1}, {"m.lokr_w2_a", w2_a}, {"m.lokr_w2_b", w2_b}}, widened(w1), flat, 1.5 / rank},
                           {{{"m.lokr_w1", w1}, {"m.lokr_t2", t2}, {"m.lokr_w2_a", turned}, {"m.lokr_w2_b", inputs}}, widened(w1), tucker, 1.5 / rank}}) {
    Tensors tensors = form.tensors;
    tensors["m.alpha"] = {{}, {1.5f}};
    const Merged merged({a * c, b * d, 3, 3}, tensors, 2);
    std::vector<float> expected = merged.base.values;
    for (int64_t o = 0; o < a * c; ++o)
      for (int64_t i = 0; i < b * d; ++i)
        for (int64_t k = 0; k < area; ++k)
          expected[size_t((o * b * d + i) * area + k)] += float(2 * form.scale * form.left[size_t(o / c * b + i / d)] * form.right[size_t((o % c * d + i % d) * area + k)]);
    const std::vector<float> whole = read(*merged.source, "w");
    EXPECT_LE(relative_l2(whole, expected), 1e-6) << form.tensors.begin()->first;
    for (auto [first, count] : {std::pair(0, 1), {89, 2}, {91, 400}, {719, 1}, {17, 300}}) {
      std::vector<float> some(static_cast<size_t>(count));
      merged.source->read("w", Dtype::f32, std::as_writable_bytes(std::span(some)), first);
      EXPECT_TRUE(std::ranges::equal(some, std::span(whole).subspan(size_t(first), size_t(count)))) << first;
    }
  }
}

// DoRA by output (as peft and LyCORIS store it) and by input, partly weighted, of a convolution; in every spelling.
TEST(LoraSource, DoraByOutputAndByInput) {
  constexpr int64_t out = 5, in = 7, area = 4, rank = 2;
  const Tensor down = random_tensor("down", {rank, in, 2, 2}), up = random_tensor("up", {out, rank, 1, 1});
  for (bool by_output : {true, false})
    for (float weight : {1.0f, 0.25f}) {
      const int64_t count = by_output ? out : in;
      Tensor magnitude = random_tensor("magnitude", {count});
      magnitude.dims = by_output ? std::vector<int64_t>{out, 1, 1, 1} : std::vector<int64_t>{1, in, 1, 1};
      const Tensors pair{{"m.lora_down.weight", down}, {"m.lora_up.weight", up}, {"m.alpha", {{}, {1}}}};
      Tensors lora = pair;
      lora["m.dora_scale"] = magnitude;
      const Merged merged({out, in, 2, 2}, lora, weight);
      std::vector<double> whole(merged.base.values.begin(), merged.base.values.end()), squares(static_cast<size_t>(count));
      auto group = [&](int64_t i) { return size_t(by_output ? i / (in * area) : i / area % in); };
      for (int64_t i = 0; i < out * in * area; ++i) {
        for (int64_t r = 0; r < rank; ++r) whole[size_t(i)] += 0.5 * up.values[size_t(i / (in * area) * rank + r)] * down.values[size_t(r * in * area + i % (in * area))];
        squares[group(i)] += whole[size_t(i)] * whole[size_t(i)];
      }
      std::vector<float> expected = merged.base.values;
      for (size_t i = 0; i < expected.size(); ++i)
        expected[i] += weight * float(whole[i] * magnitude.values[group(int64_t(i))] / std::sqrt(squares[group(int64_t(i))]) - expected[i]);
      const std::vector<float> values = read(*merged.source, "w");
      EXPECT_LE(relative_l2(values, expected), 1e-6) << by_output << weight;
      if (!by_output) continue;
      for (auto [name, dims] : {std::pair("m.lora_magnitude_vector", std::vector<int64_t>{out}), {"m.lora_magnitude_vector.weight", {1, out, 1, 1}}}) {
        Tensors other = pair;
        other[name] = {dims, magnitude.values};
        EXPECT_EQ(read(*Merged({out, in, 2, 2}, other, weight).source, "w"), values) << name;
      }
    }
}

TEST(LoraSource, DoraOfARowOfZerosStaysFinite) {
  const Tensors lora{{"m.lora_down.weight", {{1, 2}, {0, 0}}}, {"m.lora_up.weight", {{2, 1}, {0, 0}}}, {"m.dora_scale", {{2, 1}, {3, 4}}}};
  ScratchFolder folder;
  auto merges = std::make_shared<LoraMerges>();
  const LoraFile file = read_lora(write(folder / "lora.safetensors", lora));
  merges->emplace("w", LoraMerge(file.tensors, file.modules[0], {"w", {2, 2}}, 1));
  const LoraSource source(std::make_shared<SafetensorsFile>(write(folder / "base.safetensors", {{"w", {{2, 2}, {0, 0, 3, 4}}}})), merges);
  EXPECT_EQ(read(source, "w"), (std::vector<float>{0, 0, 2.4f, 3.2f}));
}

TEST(Lora, BadFilesAreNamed) {
  ScratchFolder folder;
  std::vector<std::string> warnings;
  const auto open = [&](const Tensors& tensors) {
    return LoraCheckpoint(open_checkpoint(tiny, ""), {{write(folder / "bad.safetensors", tensors), 1, 1}}, [&](const std::string& text) { warnings.push_back(text); });
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
  const auto loha = [&](int64_t rank, int64_t in) {
    Tensors tensors;
    for (const char* factor : {".hada_w1", ".hada_w2"}) {
      tensors[module + factor + "_a"] = random_tensor("a", {24, rank});
      tensors[module + factor + "_b"] = random_tensor("b", {rank, in});
    }
    return tensors;
  };
  EXPECT_NO_THROW(open(loha(2, 24)));
  expect_error(ErrorKind::bad_model, {file, "hada_w1_b", "(2, 23)"}, [&] { open(loha(2, 23)); });
  expect_error(ErrorKind::bad_model, {file, "rank 0"}, [&] { open(loha(0, 24)); });
  expect_error(ErrorKind::bad_file, {file, "no w2 b"}, [&] {
    Tensors half = loha(2, 24);
    half.erase(module + ".hada_w2_b");
    open(half);
  });
  expect_error(ErrorKind::bad_file, {file, "hada_w1_a", "lora_down"}, [&] {
    Tensors mixed = loha(2, 24);
    mixed.merge(Tensors(good));
    open(mixed);
  });
  const auto lokr = [&](std::vector<int64_t> first, std::vector<int64_t> second) {
    return Tensors{{module + ".lokr_w1", random_tensor("a", std::move(first))}, {module + ".lokr_w2", random_tensor("b", std::move(second))}};
  };
  EXPECT_NO_THROW(open(lokr({4, 6}, {6, 4})));
  expect_error(ErrorKind::bad_model, {file, "Kronecker", "(5, 6)", "(24, 24)"}, [&] { open(lokr({5, 6}, {6, 4})); });
  expect_error(ErrorKind::bad_model, {file, "Kronecker", "(0, 6)"}, [&] { open(lokr({0, 6}, {6, 4})); });
  expect_error(ErrorKind::bad_model, {file, "lokr_w2", "(6, 5)"}, [&] { open(lokr({4, 6}, {6, 5})); });
  expect_error(ErrorKind::bad_file, {file, "lokr_w1"}, [&] { open(with(lokr({4, 6}, {6, 4}), module + ".lokr_w1_a", random_tensor("c", {4, 2}))); });
  for (std::vector<int64_t> dims : {std::vector<int64_t>{23}, {1, 23}, {0}, {}, {2, 24}})
    expect_error(ErrorKind::bad_model, {file, "dora_scale", "24 numbers"}, [&] { open(with(good, module + ".dora_scale", random_tensor("c", dims))); });
  for (const char* other : {".oft_blocks", ".hada_w3_a", ".lokr_t1", ".diff"})
    expect_error(ErrorKind::unsupported, {file, other}, [&] { open(with(good, module + other, random_tensor("c", {24}))); });
  expect_error(ErrorKind::bad_model, {file, "fits nothing", "lora_unet_nowhere", tiny.c_str()}, [&] { open(pair("lora_unet_nowhere", 2, 24, 24)); });
  expect_error(ErrorKind::bad_model, {"model.safetensors", "is not a LoRA", "CLIP"},
               [&] { LoraCheckpoint(open_checkpoint(tiny, ""), {{tiny + "/text_encoder_2/model.safetensors", 1, 1}}, {}); });
  const std::string whole = slurp(kohya);
  expect_error(ErrorKind::bad_file, {"cut.safetensors", "cut short"},
               [&] { read_lora(folder.write("cut.safetensors", std::string_view(whole).substr(0, whole.size() - 9))); });
  expect_error(ErrorKind::usage, {"kohya.safetensors", "nan"}, [&] { draw({{kohya, NAN}}); });

  EXPECT_TRUE(warnings.empty());
  Tensors more = good;
  for (const char* name : {"lora_unet_x1", "lora_unet_x2", "lora_unet_x3"}) more.merge(pair(name, 2, 24, 24));
  for (int i = 0; i < 20; ++i) more.merge(pair(fmt::format("lora_unet_y{}", i), 2, 24, 24));
  open(more);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_THAT(warnings[0], ::testing::AllOf(::testing::HasSubstr(file), ::testing::HasSubstr("lora_unet_x1"), ::testing::HasSubstr("and 3 more")));

  Tensors nan = good;
  nan[module + ".lora_up.weight"].values[77] = NAN;
  const LoraCheckpoint model = open(nan);
  expect_error(ErrorKind::not_finite, {file, "lora_up"}, [&] { read(*model.tensors("unet"), "mid_block.attentions.0.proj_in.weight"); });
}

}  // namespace
}  // namespace hayate::testing
