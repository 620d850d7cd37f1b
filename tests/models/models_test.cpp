// Configs become programs: parameter counts of the published models, unsupported values, record-and-run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backend/backend.h"
#include "hayate/error.h"
#include "models/clip_text.h"
#include "models/denoise_step.h"
#include "models/families.h"
#include "models/published_configs.h"
#include "models/vae.h"
#include "program/plan_memory.h"
#include "support/random_weights.h"

namespace hayate {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

JsonObject config(const char* text, const char* changes = "{}") {
  Json json = Json::parse(text);
  json.update(Json::parse(changes));
  return {json, "unet/config.json"};
}

std::map<std::string, int64_t> weights(const Program& p) {
  std::map<std::string, int64_t> sizes;
  for (const Node& n : p.nodes())
    if (n.op == Op::weight) sizes[n.name] = n.shape.count();
  return sizes;
}

int64_t total(const std::map<std::string, int64_t>& sizes) {
  int64_t sum = 0;
  for (const auto& [name, size] : sizes) sum += size;
  return sum;
}

Program record_unet_alone(const UNetConfig& cfg, int64_t h, int64_t w) {
  return record_denoise_step(cfg, {.pictures = 1, .h = h, .w = w, .guided = true, .saved = 0, .tokens = 77, .pooled_width = 1280});
}

// Totals of the published checkpoints.
TEST(Models, ParametersOfSdxlUnet) {
  EXPECT_EQ(total(weights(record_unet_alone(parse_unet_config(config(kSdxlUnet)), 128, 128))), 2567463684);
}
TEST(Models, ParametersOfSsd1bUnet) {
  EXPECT_EQ(total(weights(record_unet_alone(parse_unet_config(config(kSdxlUnet, kSsd1bChanges)), 128, 128))), 1331334404);
}
TEST(Models, ParametersOfSd15Unet) { EXPECT_EQ(total(weights(record_unet_alone(parse_unet_config(config(kSd15Unet)), 64, 64))), 859520964); }
TEST(Models, ParametersOfTextEncoders) {
  EXPECT_EQ(total(weights(record_clip_text(parse_clip_text_config(config(kClipL)), {.skip_layers = 0, .final_norm = true}, 1, 77))), 123060480);
  EXPECT_EQ(total(weights(record_clip_text(parse_clip_text_config(config(kOpenClipBigG)), {.skip_layers = 1, .pooled = true}, 1, 77))), 694659840);
}
TEST(Models, ParametersOfSdxlVae) {
  VaeConfig cfg = parse_vae_config(config(kSdxlVae));
  EXPECT_EQ(total(weights(record_vae_decoder(cfg, 1, 128, 128))), 49490199);
  EXPECT_EQ(total(weights(record_vae_decoder(cfg, 1, 128, 128))) + total(weights(record_vae_encoder(cfg, 1, 1024, 1024))), 83653863);
}

TEST(Models, OddLatentsUpsampleToTheSkipsSize) {
  Program p = record_unet_alone(parse_unet_config(config(kSdxlUnet)), 13, 10);
  EXPECT_EQ(p[p.find("up_blocks.0.upsamplers.0.nearest")].shape, (Shape{2, 7, 5, 1280}));
  EXPECT_EQ(p[p.find("conv_out")].shape, (Shape{2, 13, 10, 4}));
  verify(p);
  verify_plan(p, Rate::step, plan_memory(p, Rate::step));
}

TEST(Models, TextPathIsHoistedOutOfTheStep) {
  Program p = record_unet_alone(parse_unet_config(config(kSdxlUnet)), 16, 16);
  EXPECT_EQ(p[p.find("mid_block.attentions.0.transformer_blocks.9.attn2.to_k")].rate, Rate::prompt);
  EXPECT_EQ(p[p.find("mid_block.attentions.0.transformer_blocks.9.attn1.to_k")].rate, Rate::step);
  EXPECT_EQ(p[p.find("add_embedding.linear_2")].rate, Rate::prompt);
}

struct Refused { const char* key; const char* changes; };
class RefusedUnet : public ::testing::TestWithParam<Refused> {};
TEST_P(RefusedUnet, ErrorNamesTheKey) {
  EXPECT_THAT([&] { parse_unet_config(config(kSdxlUnet, GetParam().changes)); }, ThrowsMessage<Error>(HasSubstr(GetParam().key)));
}
INSTANTIATE_TEST_SUITE_P(
    Config, RefusedUnet,
    ::testing::Values(Refused{"act_fn", R"({"act_fn": "mish"})"}, Refused{"addition_embed_type", R"({"addition_embed_type": "text_image"})"},
                      Refused{"time_cond_proj_dim", R"({"time_cond_proj_dim": 255})"}, Refused{"down_block_types", R"({"down_block_types": ["A", "B", "C"]})"},
                      Refused{"up_block_types", R"({"up_block_types": ["UpBlock2D"]})"}, Refused{"mid_block_type", R"({"mid_block_type": "UNetMidBlock2DSimpleCrossAttn"})"},
                      Refused{"block_out_channels", R"({"block_out_channels": [320, 640, 1281]})"}, Refused{"block_out_channels", R"({"block_out_channels": []})"},
                      Refused{"norm_num_groups", R"({"norm_num_groups": 0})"}, Refused{"layers_per_block", R"({"layers_per_block": 2147483648})"},
                      Refused{"attention_head_dim", R"({"attention_head_dim": 0})"}, Refused{"attention_head_dim", R"({"attention_head_dim": [5, 10, 19]})"},
                      Refused{"transformer_layers_per_block", R"({"transformer_layers_per_block": [1, 2]})"},
                      Refused{"transformer_layers_per_block", R"({"transformer_layers_per_block": [1, 2, -1]})"},
                      Refused{"projection_class_embeddings_input_dim", R"({"projection_class_embeddings_input_dim": null})"},
                      Refused{"conv_in_kernel", R"({"conv_in_kernel": 4})"}, Refused{"norm_eps", R"({"norm_eps": -1})"}));

TEST(Models, AnAddedEmbeddingThatDoesNotFitIsNamed) {
  UNetConfig cfg = parse_unet_config(config(kSdxlUnet, R"({"projection_class_embeddings_input_dim": 2815})"));
  EXPECT_THAT([&] { record_unet_alone(cfg, 16, 16); }, ThrowsMessage<Error>(HasSubstr("projection_class_embeddings_input_dim")));
}

TEST(Models, UnknownFamilyListsTheKnownOnes) {
  EXPECT_THAT([] { find_family("FluxPipeline", "model_index.json"); }, ThrowsMessage<Error>(HasSubstr("StableDiffusionXLPipeline")));
}

TEST(Models, EndOfTextByBothRules) {
  ClipTextConfig published = parse_clip_text_config(config(kClipL)), exact = published;
  exact.eos_token_id = 7;
  std::vector<int32_t> ids = {1, 7, 9, 7, 7};
  EXPECT_EQ(eos_index(published, ids), 2);  // the largest id
  EXPECT_EQ(eos_index(exact, ids), 1);      // the first such id
}

TEST(Models, ClipSkipBeyondTheEncoderIsAnError) {
  ClipTextConfig cfg = parse_clip_text_config(config(kClipL));
  EXPECT_THAT([&] { record_clip_text(cfg, {.skip_layers = 12}, 1, 77); }, ThrowsMessage<Error>(HasSubstr("clip_skip")));
}

// Recording order is execution order: each op can run as soon as it is recorded, and model code sees numbers.
TEST(Models, RecordAndRun) {
  auto backend = make_reference_backend();
  RandomWeights source(backend);
  std::vector<Buffer> values;
  Program p;
  Builder b(p, [&](const Program& recorded, Value v) {
    const Node& n = recorded[v];
    if (n.op == Op::input) {
      values.push_back(backend->allocate(byte_size(n)));
      backend->upload(values.back(), as_dtype(random_floats(n.name, n.shape.count(), 0, 1), Dtype::f32));
    } else if (n.op == Op::weight) {
      values.push_back(source.get(recorded, v));
    } else {
      std::vector<Buffer> in;
      for (Value i : n.in) in.push_back(i == none ? Buffer{} : values[size_t(i)]);
      values.push_back(backend->evaluate(recorded, n, in));
    }
  });
  Value x = b.input("x", {1, 4, 4, 8}, Rate::step);
  Value y = b.activation("act", b.conv2d("conv", x, 8, 3), Activation::silu);
  std::vector<float> now(static_cast<size_t>(p[y].shape.count()));
  backend->download(std::as_writable_bytes(std::span(now)), values[size_t(y)]);

  p.outputs = {y};
  auto exec = backend->compile(p, source);
  exec->write("x", as_dtype(random_floats("x", 128, 0, 1), Dtype::f32));
  exec->run(Rate::step);
  std::vector<float> later(now.size());
  exec->read("act", std::as_writable_bytes(std::span(later)));
  EXPECT_EQ(now, later);
}

}  // namespace
}  // namespace hayate
