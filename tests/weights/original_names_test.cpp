// Names and shapes in the original naming against what diffusers' own conversion scripts write (tools/dump_single_files.py).
#include "weights/original_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "core/scratch_folder.h"
#include "models/config.h"
#include "models/published_configs.h"
#include "weights/checkpoint.h"
#include "weights/mapped_source.h"
#include "weights/original_families.h"
#include "weights/safetensors.h"
#include "weights/shape_source.h"
#include "weights/write_checkpoint.h"

namespace hayate {
namespace {

const std::string data = HAYATE_SOURCE_DIR "/tests/data/";

// The leaves of a tree of the parts of names.
template <class Take>
void visit_tree(const Json& tree, const std::string& name, Take&& take) {
  if (!tree.is_object()) return take(name, tree);
  for (const auto& [part, below] : tree.items()) visit_tree(below, name.empty() ? part : name + "." + part, take);
}

Shapes read_shapes(const std::string& file) {
  Shapes shapes;
  visit_tree(read_json_file(data + "single_file/" + file), "",
             [&](const std::string& name, const Json& leaf) { shapes[name] = leaf.get<std::vector<int64_t>>(); });
  return shapes;
}

std::shared_ptr<const TensorSource> source_of(Shapes shapes) { return std::make_shared<ShapeSource>(std::move(shapes)); }

Shapes shapes_of(const TensorSource& source, const std::string& prefix = "") {
  Shapes shapes;
  for (const std::string& name : source.names()) shapes[prefix + name] = source.dims(name);
  return shapes;
}

struct FullSize : ::testing::TestWithParam<const char*> {
  std::shared_ptr<const TensorSource> original = source_of(read_shapes(GetParam() + std::string(".original.json")));
  std::shared_ptr<const TensorSource> diffusers = source_of(read_shapes(GetParam() + std::string(".diffusers.json")));
  const OriginalFamily& family = recognise_family(*original, "file");
};
INSTANTIATE_TEST_SUITE_P(Models, FullSize, ::testing::Values("sdxl", "ssd1b", "sd15", "sd21"), [](const auto& info) { return info.param; });

TEST_P(FullSize, NamesAndShapesAreThoseOfDiffusers) {
  Shapes read, written;
  for (const OriginalComponent& c : family.components) {
    read.merge(shapes_of(*from_original(c.part, under_prefix(original, c.prefix)), c.name + std::string(".")));
    written.merge(shapes_of(*to_original(c.part, under_prefix(diffusers, c.name + std::string("."))), c.prefix));
  }
  EXPECT_GT(read.size(), 1000u);
  EXPECT_EQ(read, shapes_of(*diffusers));
  EXPECT_EQ(written, shapes_of(*original));
}

Json merged(const char* base, const char* changes) {
  Json json = Json::parse(base);
  json.update(Json::parse(changes));
  return json;
}

TEST(PublishedConfig, EqualsThePublishedFiles) {
  struct Case {
    const char *model, *unet_changes, *unet;
  };
  for (const Case& c :
       {Case{"sdxl", "{}", testing::kSdxlUnet}, {"ssd1b", testing::kSsd1bChanges, testing::kSdxlUnet}, {"sd15", "{}", testing::kSd15Unet}}) {
    SCOPED_TRACE(c.model);
    auto original = source_of(read_shapes(c.model + std::string(".original.json")));
    const OriginalFamily& family = recognise_family(*original, "file");
    std::map<std::string, JsonObject> made;
    for (const OriginalComponent& row : family.components)
      made.emplace(row.name, JsonObject(published_config(row, *from_original(row.part, under_prefix(original, row.prefix))), row.name));
    EXPECT_EQ(parse_unet_config(made.at("unet")), parse_unet_config({merged(c.unet, c.unet_changes), "published"}));
    VaeConfig vae = parse_vae_config({Json::parse(kSdxlVae), "published"});
    if (c.model == std::string("sd15")) vae.scaling_factor = 0.18215f;
    EXPECT_EQ(parse_vae_config(made.at("vae")), vae);
    EXPECT_EQ(parse_clip_text_config(made.at("text_encoder")), parse_clip_text_config({Json::parse(kClipL), "published"}));
    if (!made.contains("text_encoder_2")) continue;
    EXPECT_EQ(parse_clip_text_config(made.at("text_encoder_2")), parse_clip_text_config({Json::parse(kOpenClipBigG), "published"}));
  }
}

TEST(PublishedConfig, StableDiffusion2) {
  auto original = source_of(read_shapes("sd21.original.json"));
  const OriginalFamily& family = recognise_family(*original, "file");
  EXPECT_TRUE(family.v_prediction_by_weights);
  auto config = [&](size_t i) {
    const OriginalComponent& row = family.components[i];
    return JsonObject(published_config(row, *from_original(row.part, under_prefix(original, row.prefix))), row.name);
  };
  const UNetConfig unet = parse_unet_config(config(0));
  EXPECT_EQ(unet.cross_attention_dim, 1024);
  EXPECT_EQ(unet.levels[3].heads, 20);
  const ClipTextConfig text = parse_clip_text_config(config(2));
  EXPECT_EQ(text.layers, 23);
  EXPECT_EQ(text.heads, 16);
  EXPECT_EQ(text.activation, Activation::gelu);
}

// The whole original checkpoint has a layer more than diffusers' folder, whose script does not write it.
TEST(OriginalFamilies, OtherModelsAreNamed) {
  struct Case {
    const char *removed, *added;
    std::vector<int64_t> dims;
    ErrorKind kind;
    const char* mention;
  };
  const std::string conv_in = "model.diffusion_model.input_blocks.0.0.weight";
  for (const Case& c : {Case{"", conv_in.c_str(), {320, 5, 3, 3}, ErrorKind::unsupported, "depth maps"},
                        {"", conv_in.c_str(), {320, 8, 3, 3}, ErrorKind::unsupported, "editing"},
                        {"", conv_in.c_str(), {320}, ErrorKind::bad_model, "unknown kind"},
                        {"", "conditioner.embedders.0.model.ln_final.bias", {1280}, ErrorKind::unsupported, "refiner"},
                        {"", "control_model.time_embed.0.bias", {1280}, ErrorKind::unsupported, "ControlNet"},
                        {"", "edm_mean", {4}, ErrorKind::unsupported, "Playground"},
                        {"", "edm_vpred.sigma_max", {}, ErrorKind::unsupported, "CosXL"},
                        {"model.", "lora_unet_x.lora_up.weight", {1, 1}, ErrorKind::bad_model, "LoRA"},
                        {"model.", "x", {1}, ErrorKind::bad_model, "autoencoder"}}) {
    Shapes shapes = read_shapes("sdxl.original.json");
    if (*c.removed)
      std::erase_if(shapes, [&](const auto& entry) { return entry.first.starts_with(c.removed) || entry.first.starts_with("conditioner."); });
    shapes[c.added] = c.dims;
    expect_error(c.kind, {"file.safetensors", c.mention}, [&] { recognise_family(*source_of(shapes), "file.safetensors"); });
  }
}

std::string fnv(std::span<const std::byte> bytes) {
  uint64_t value = 0xcbf29ce484222325;
  for (std::byte b : bytes) value = (value ^ uint64_t(b)) * 0x100000001b3;
  return fmt::format("{:016x}", value);
}

TEST(WriteSingleFile, WritesWhatDiffusersScriptsWrite) {
  for (const std::string name : {"tiny-sdxl", "tiny-ssd1b", "tiny-sd15"}) {
    ScratchFolder folder;
    write_single_file(*open_checkpoint(data + "parity/" + name, ""), folder / "model.safetensors", std::nullopt);
    const SafetensorsFile file(folder / "model.safetensors");
    size_t expected = 0;
    visit_tree(read_json_file(data + "single_file/" + name + ".json"), "", [&](const std::string& tensor, const Json& leaf) {
      ++expected;
      ASSERT_TRUE(file.has(tensor)) << tensor;
      const StoredTensor& stored = *std::ranges::find(file.tensors(), tensor, &StoredTensor::name);
      std::vector<std::byte> bytes(size_t(stored.end - stored.begin));
      FileReader(file.path()).read(stored.begin, bytes);
      EXPECT_EQ(Json({stored.type->name, stored.dims, fnv(bytes)}), leaf) << tensor;
    });
    EXPECT_EQ(file.tensors().size(), expected);
  }
}

// Element i is i.
class Counting : public ShapeSource {
 public:
  using ShapeSource::ShapeSource;
  void read(const std::string&, Dtype as, std::span<std::byte> out, int64_t first) const override {
    ASSERT_EQ(as, Dtype::f32);
    for (size_t i = 0; i < out.size() / 4; ++i) {
      const float value = float(first + int64_t(i));
      std::memcpy(&out[4 * i], &value, 4);
    }
  }
};

std::vector<float> read(const TensorSource& source, const std::string& name, size_t count, int64_t first = 0) {
  std::vector<float> values(count);
  source.read(name, Dtype::f32, std::as_writable_bytes(std::span(values)), first);
  return values;
}

TEST(OriginalNames, PackedProjectionsAreCutAndTheLastMatrixIsTurned) {
  const std::string layer = "transformer.resblocks.0.";
  auto from = from_original(
      OriginalPart::open_clip,
      std::make_shared<Counting>(Shapes{{layer + "attn.in_proj_weight", {6, 2}}, {layer + "attn.in_proj_bias", {6}}, {"text_projection", {2, 3}}}));
  const std::string attention = "text_model.encoder.layers.0.self_attn.";
  EXPECT_EQ(from->dims(attention + "k_proj.weight"), (std::vector<int64_t>{2, 2}));
  EXPECT_THAT(read(*from, attention + "q_proj.weight", 4), ::testing::ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(read(*from, attention + "k_proj.weight", 4), ::testing::ElementsAre(4, 5, 6, 7));
  EXPECT_THAT(read(*from, attention + "v_proj.weight", 2, 1), ::testing::ElementsAre(9, 10));
  EXPECT_THAT(read(*from, attention + "v_proj.bias", 2), ::testing::ElementsAre(4, 5));
  EXPECT_EQ(from->dims("text_projection.weight"), (std::vector<int64_t>{3, 2}));
  EXPECT_THAT(read(*from, "text_projection.weight", 6), ::testing::ElementsAre(0, 3, 1, 4, 2, 5));
  EXPECT_THAT(read(*from, "text_projection.weight", 2, 3), ::testing::ElementsAre(4, 2));

  auto to = to_original(OriginalPart::open_clip, std::shared_ptr<const TensorSource>(std::move(from)));
  EXPECT_EQ(to->dims(layer + "attn.in_proj_weight"), (std::vector<int64_t>{6, 2}));
  EXPECT_THAT(read(*to, layer + "attn.in_proj_weight", 12), ::testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
  EXPECT_THAT(read(*to, layer + "attn.in_proj_weight", 5, 3), ::testing::ElementsAre(3, 4, 5, 6, 7));
  EXPECT_THAT(read(*to, "text_projection", 6), ::testing::ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(OriginalNames, WhatCannotBeCutOrPackedIsNamed) {
  auto from = [](Shapes shapes) { from_original(OriginalPart::open_clip, source_of(std::move(shapes))); };
  auto to = [](Shapes shapes) { to_original(OriginalPart::open_clip, source_of(std::move(shapes))); };
  expect_error(ErrorKind::bad_model, {"in_proj_weight", "7 rows"}, [&] { from({{"transformer.resblocks.0.attn.in_proj_weight", {7, 2}}}); });
  expect_error(ErrorKind::bad_model, {"in_proj_bias"}, [&] { from({{"transformer.resblocks.0.attn.in_proj_bias", {}}}); });
  expect_error(ErrorKind::bad_model, {"text_projection"}, [&] { from({{"text_projection", {7}}}); });
  const std::string attention = "text_model.encoder.layers.0.self_attn.";
  expect_error(ErrorKind::bad_model, {"v_proj.weight", "another shape"}, [&] {
    to({{attention + "q_proj.weight", {2, 2}}, {attention + "k_proj.weight", {2, 2}}, {attention + "v_proj.weight", {2, 3}}});
  });
  expect_error(ErrorKind::bad_model, {"k_proj.weight", "q_proj.weight", "missing"}, [&] { to({{attention + "k_proj.weight", {2, 2}}}); });
}

}  // namespace
}  // namespace hayate
