// Model folders and the names inside them.
#include "weights/checkpoint.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "core/expect_error.h"
#include "core/scratch_folder.h"
#include "weights/names.h"
#include "weights/safetensors_cases.h"

namespace hayate {
namespace {

// A file whose tensors have one U8 element each.
std::string weights(std::initializer_list<const char*> names) {
  Json header = Json::object();
  int64_t at = 0;
  for (const char* name : names) header[name] = {{"dtype", "U8"}, {"shape", {1}}, {"data_offsets", {at, at + 1}}}, ++at;
  return safetensors_bytes(header.dump(), size_t(at));
}

constexpr const char* index_text = R"({"_class_name": "StableDiffusionXLPipeline", "_diffusers_version": "0.42", "force_zeros_for_empty_prompt": true,
  "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["os; import evil", "Unheard.Of"], "scheduler": ["diffusers", "EulerDiscreteScheduler"],
  "text_encoder": ["transformers", "CLIPTextModel"], "tokenizer": ["transformers", "CLIPTokenizer"], "image_encoder": [null, null], "feature_extractor": null,
  "requires_safety_checker": false, "broken": ["one"], "odd": [1, 2]})";

struct Model {
  ScratchFolder folder;
  explicit Model(const std::string& index = index_text) { folder.write("model_index.json", index); }
  std::unique_ptr<Checkpoint> open() const { return open_checkpoint(folder / "", "/vocabularies"); }
};

TEST(FolderCheckpoint, components_and_their_files) {
  Model model;
  model.folder.write("unet/config.json", R"({"in_channels": 4})");
  model.folder.write("unet/diffusion_pytorch_model.safetensors", weights({"conv_in.weight"}));
  model.folder.write("text_encoder/model.safetensors", weights({"embeddings.position_ids", "embeddings.token_embedding.weight"}));
  model.folder.write("scheduler/scheduler_config.json", R"({"beta_start": 0.5})");
  const std::unique_ptr<Checkpoint> folder = model.open();
  for (const char* name : {"unet", "vae", "scheduler", "text_encoder", "tokenizer"}) EXPECT_TRUE(folder->has(name)) << name;
  for (const char* name : {"image_encoder", "feature_extractor", "requires_safety_checker", "broken", "odd", "absent", "_class_name", ""})
    EXPECT_FALSE(folder->has(name)) << name;
  EXPECT_TRUE(folder->index().boolean("force_zeros_for_empty_prompt"));
  EXPECT_EQ(folder->config("unet").integer("in_channels", 1, 9), 4);
  EXPECT_EQ(folder->config("scheduler").number("beta_start", 0, 1), 0.5);
  EXPECT_EQ(folder->tensors("unet")->names(), std::vector<std::string>{"conv_in.weight"});
  EXPECT_EQ(folder->tensors("text_encoder")->names(), std::vector<std::string>{"text_model.embeddings.token_embedding.weight"});
  EXPECT_EQ(folder->tokenizer("tokenizer"), folder->path() + "/tokenizer");
  expect_error(ErrorKind::not_found, {"/vocabularies/tokenizer_2", "scripts/setup"}, [&] { folder->tokenizer("tokenizer_2"); });  // not listed
}

TEST(FolderCheckpoint, errors_say_what_is_there_instead) {
  Model model;
  model.folder.write("unet/readme.md", "");
  model.folder.write("unet/sub/file", "");
  const std::unique_ptr<Checkpoint> folder = model.open();
  expect_error(ErrorKind::not_found, {"unet", "diffusion_pytorch_model.safetensors", "model.safetensors", "Found: readme.md, sub/"},
               [&] { folder->tensors("unet"); });
  expect_error(ErrorKind::not_found, {"unet", "config.json"}, [&] { folder->config("unet"); });
  expect_error(ErrorKind::not_found, {"vae", "No such file"}, [&] { folder->tensors("vae"); });
  expect_error(ErrorKind::bad_model, {"model_index.json", "\"text_encoder_2\"", "scheduler, text_encoder, tokenizer, unet, vae"},
               [&] { folder->tensors("text_encoder_2"); });
  expect_error(ErrorKind::bad_model, {"image_encoder"}, [&] { folder->config("image_encoder"); });
}

TEST(FolderCheckpoint, a_pickle_is_refused_by_name) {
  for (const char* name : {"diffusion_pytorch_model.bin", "pytorch_model.bin", "model.ckpt", "weights.pt"}) {
    Model model;
    model.folder.write(std::string("unet/") + name, "pickle");
    expect_error(ErrorKind::unsupported, {name, "pickle", ".safetensors"}, [&] { model.open()->tensors("unet"); });
    model.folder.write("unet/model.safetensors", weights({"w"}));
    EXPECT_NO_THROW(model.open()->tensors("unet"));
  }
}

// Each file has a tensor called like it.
std::string chosen_of(std::initializer_list<const char*> files) {
  Model model;
  for (const char* name : files) {
    const bool index = std::string_view(name).ends_with(".json");
    model.folder.write(std::string("unet/") + (index ? "part.safetensors" : name), weights({name}));
    if (index) model.folder.write(std::string("unet/") + name, fmt::format(R"({{"weight_map": {{"{}": "part.safetensors"}}}})", name));
  }
  return model.open()->tensors("unet")->names().at(0);
}

TEST(FolderCheckpoint, the_most_precise_variant_is_read) {
  const char *plain = "diffusion_pytorch_model.safetensors", *fp16 = "diffusion_pytorch_model.fp16.safetensors",
             *bf16 = "diffusion_pytorch_model.bf16.safetensors", *non_ema = "diffusion_pytorch_model.non_ema.safetensors",
             *index = "diffusion_pytorch_model.safetensors.index.json", *fp16_index = "diffusion_pytorch_model.safetensors.index.fp16.json";
  EXPECT_EQ(chosen_of({bf16, fp16, plain, non_ema}), plain);
  EXPECT_EQ(chosen_of({bf16, fp16, non_ema}), fp16);
  EXPECT_EQ(chosen_of({non_ema, bf16}), bf16);
  EXPECT_EQ(chosen_of({non_ema}), non_ema);
  EXPECT_EQ(chosen_of({fp16, index}), index);
  EXPECT_EQ(chosen_of({bf16, fp16_index}), fp16_index);
  EXPECT_EQ(chosen_of({"model.fp16.safetensors"}), "model.fp16.safetensors");
  expect_error(ErrorKind::not_found, {"model-00001-of-00002.safetensors"}, [] { chosen_of({"model-00001-of-00002.safetensors"}); });
  expect_error(ErrorKind::not_found, {"model_ema.safetensors"}, [] { chosen_of({"model_ema.safetensors"}); });
}

struct Shards : Model {
  Shards() {
    folder.write("unet/a.safetensors", weights({"one", "two"}));
    folder.write("unet/b.safetensors", weights({"three"}));
  }
  void index(const std::string& map) const {
    folder.write("unet/model.safetensors.index.json", R"({"metadata": {"total_size": 3}, "weight_map": )" + map + "}");
  }
  void refused(ErrorKind kind, const std::string& map, std::initializer_list<const char*> mentions) const {
    index(map);
    expect_error(kind, mentions, [&] { open()->tensors("unet"); });
  }
};
constexpr const char* shard_map = R"({"one": "a.safetensors", "two": "a.safetensors", "three": "b.safetensors"})";

TEST(ShardedWeights, tensors_come_from_the_shard_of_the_index) {
  Shards model;
  model.index(shard_map);
  auto tensors = model.open()->tensors("unet");
  EXPECT_EQ(tensors->names(), (std::vector<std::string>{"one", "three", "two"}));
  EXPECT_EQ(tensors->dims("three"), std::vector<int64_t>{1});
  EXPECT_FALSE(tensors->has("four"));
  expect_error(ErrorKind::bad_model, {"index.json", "\"four\""}, [&] { tensors->dims("four"); });
}

TEST(ShardedWeights, what_does_not_fit_the_index_is_named) {
  const ErrorKind bad = ErrorKind::bad_file;
  Shards model;
  model.refused(bad, R"({"one": "a.safetensors", "two": "b.safetensors", "three": "b.safetensors"})", {"index.json", "\"two\"", "b.safetensors"});
  model.refused(bad, R"({"one": "a.safetensors", "three": "b.safetensors"})", {"a.safetensors", "\"two\""});
  model.refused(bad, R"({"one": "a.safetensors", "two": "a.safetensors", "three": "b.safetensors", "four": "b.safetensors"})",
                {"\"four\"", "b.safetensors"});
  model.refused(bad, "{}", {"weight_map", "empty"});
  model.refused(bad, "[]", {"weight_map"});
  model.refused(bad, R"({"one": 1})", {"weight_map", "\"one\""});
  model.refused(bad, R"({"one": null})", {"weight_map"});
  for (const char* name : {"../a.safetensors", "/etc/passwd", "", ".", "..", "sub/a.safetensors", "a\\\\b.safetensors", "a.bin"})
    model.refused(bad, fmt::format(R"({{"one": "{}"}})", name), {"index.json", "\"one\"", "same folder"});
  model.folder.write("unet/model.safetensors.index.json", "{}");
  expect_error(bad, {"index.json", "weight_map"}, [&] { model.open()->tensors("unet"); });

  model.refused(ErrorKind::not_found, R"({"one": "c.safetensors"})",
                {"index.json", "c.safetensors", "missing", "Found: a.safetensors, b.safetensors"});
  std::string cut = slurp(model.folder / "unet/b.safetensors");
  model.folder.write("unet/b.safetensors", cut.substr(0, cut.size() - 1));
  model.refused(bad, shard_map, {"b.safetensors", "cut short"});
  std::filesystem::copy_file(model.folder / "unet/a.safetensors", model.folder / "unet/b.safetensors",
                             std::filesystem::copy_options::overwrite_existing);
  model.refused(bad, shard_map, {"\"three\"", "b.safetensors"});
}

TEST(FolderCheckpoint, what_is_no_model_folder) {
  ScratchFolder folder;
  expect_error(ErrorKind::not_found, {"absent"}, [&] { open_checkpoint(folder / "absent", ""); });
  expect_error(ErrorKind::bad_file, {"file.safetensors", "0 bytes"}, [&] { open_checkpoint(folder.write("file.safetensors", ""), ""); });
  folder.write("empty/sub/x", "");
  for (int i = 0; i < 30; ++i) folder.write("other/" + std::to_string(i), "");
  expect_error(ErrorKind::bad_model, {"model_index.json", "Found: sub/"}, [&] { open_checkpoint(folder / "empty", ""); });
  expect_error(ErrorKind::bad_model, {"and 18 more"}, [&] { open_checkpoint(folder / "other", ""); });
  folder.write("two/b.safetensors", "");
  folder.write("two/a.safetensors", "");
  folder.write("two/sub/c.safetensors", "");
  expect_error(ErrorKind::bad_model, {"2 .safetensors files", "one of them: a.safetensors, b.safetensors"},
               [&] { open_checkpoint(folder / "two", ""); });
  expect_error(ErrorKind::bad_model, {"JSON object"}, [] { Model("[]").open(); });
  expect_error(ErrorKind::bad_file, {"model_index.json", "not valid JSON"}, [] { Model("{").open(); });
}

TEST(Checkpoint, a_folder_with_one_file_is_that_file) {
  ScratchFolder folder;
  folder.write("model/readme.md", "");
  const std::string lora = folder.write("model/lora.safetensors", weights({"x.lora_up.weight"}));
  expect_error(ErrorKind::bad_model, {lora.c_str(), "a LoRA"}, [&] { open_checkpoint(folder / "model", ""); });
  folder.write("model/lora.safetensors", "<html>");
  expect_error(ErrorKind::bad_file, {lora.c_str(), "HTML"}, [&] { open_checkpoint(folder / "model/", ""); });
}

TEST(FolderCheckpoint, a_component_name_cannot_leave_the_folder) {
  for (const char* name : {"../x", "..", ".", "a/b", "/etc", "", "a\\\\b", "a\\u0000b"})
    expect_error(ErrorKind::bad_model, {"model_index.json", "component name"}, [&] { Model(fmt::format(R"({{"{}": ["a", "b"]}})", name)).open(); });
}

TEST(FolderCheckpoint, links_are_followed_and_broken_ones_named) {
  Model model;
  model.folder.write("blob", weights({"w"}));
  std::filesystem::create_directory(model.folder / "unet");
  std::filesystem::create_directory(model.folder / "vae");
  std::filesystem::create_symlink("../blob", model.folder / "unet/diffusion_pytorch_model.safetensors");
  std::filesystem::create_symlink("../absent", model.folder / "vae/diffusion_pytorch_model.safetensors");
  EXPECT_EQ(model.open()->tensors("unet")->names(), std::vector<std::string>{"w"});
  expect_error(ErrorKind::not_found, {"vae/diffusion_pytorch_model.safetensors"}, [&] { model.open()->tensors("vae"); });
}

TEST(Checkpoint, model_name) {
  for (auto [path, name] :
       {std::pair{"a/sdxl", "sdxl"}, {"a/sdxl/", "sdxl"}, {"sdxl.safetensors", "sdxl"}, {"v1.5", "v1.5"}, {"org/name//", "name"}, {"./x/../y", "y"}})
    EXPECT_EQ(model_name(path), name) << path;
}

TEST(Names, current_name) {
  for (auto [stored, current] : {
           std::pair{"encoder.mid_block.attentions.0.query.weight", "encoder.mid_block.attentions.0.to_q.weight"},
           {"decoder.mid_block.attentions.0.key.bias", "decoder.mid_block.attentions.0.to_k.bias"},
           {"decoder.mid_block.attentions.0.value.weight", "decoder.mid_block.attentions.0.to_v.weight"},
           {"decoder.mid_block.attentions.0.proj_attn.weight", "decoder.mid_block.attentions.0.to_out.0.weight"},
           {"decoder.mid_block.attentions.0.to_q.weight", "decoder.mid_block.attentions.0.to_q.weight"},
           {"decoder.mid_block.attentions.0.group_norm.weight", "decoder.mid_block.attentions.0.group_norm.weight"},
           {"encoder.layers.0.self_attn.q_proj.weight", "text_model.encoder.layers.0.self_attn.q_proj.weight"},
           {"embeddings.token_embedding.weight", "text_model.embeddings.token_embedding.weight"},
           {"final_layer_norm.bias", "text_model.final_layer_norm.bias"},
           {"text_model.final_layer_norm.bias", "text_model.final_layer_norm.bias"},
           {"text_projection.weight", "text_projection.weight"},
           {"encoder.down_blocks.0.resnets.0.conv1.weight", "encoder.down_blocks.0.resnets.0.conv1.weight"},
           {"down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.weight", "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.weight"},
       })
    EXPECT_EQ(current_name(stored), current) << stored;
  EXPECT_EQ(current_name("text_model.embeddings.position_ids"), std::nullopt);
  EXPECT_EQ(current_name("embeddings.position_ids"), std::nullopt);
}

// Element i of a tensor is the length of its stored name.
class NameLengths : public TensorSource {
 public:
  explicit NameLengths(std::vector<std::string> names) : names_(std::move(names)) {}
  std::vector<std::string> names() const override { return names_; }
  bool has(const std::string& name) const override { return std::ranges::find(names_, name) != names_.end(); }
  std::vector<int64_t> dims(const std::string& name) const override {
    require(has(name), ErrorKind::bad_model, "no {}", name);
    return {int64_t(name.size())};
  }
  Dtype dtype(const std::string&) const override { return Dtype::f32; }
  void read(const std::string& name, Dtype, std::span<std::byte> out, int64_t) const override { std::ranges::fill(out, std::byte(name.size())); }

 private:
  std::vector<std::string> names_;
};

TEST(Names, a_source_under_current_names) {
  auto source = with_current_names(std::make_unique<NameLengths>(
      std::vector<std::string>{"final_layer_norm.bias", "a.attentions.0.query.bias", "embeddings.position_ids", "text_projection.weight"}));
  EXPECT_EQ(source->names(), (std::vector<std::string>{"text_model.final_layer_norm.bias", "a.attentions.0.to_q.bias", "text_projection.weight"}));
  EXPECT_TRUE(source->has("text_model.final_layer_norm.bias"));
  EXPECT_FALSE(source->has("final_layer_norm.bias"));
  EXPECT_FALSE(source->has("embeddings.position_ids"));
  EXPECT_EQ(source->dims("a.attentions.0.to_q.bias"), std::vector<int64_t>{25});
  std::array<std::byte, 4> length{};
  source->read("a.attentions.0.to_q.bias", Dtype::f32, length);
  EXPECT_EQ(int(length[0]), 25);
  EXPECT_THROW(source->dims("absent"), Error);
}

TEST(Names, two_tensors_with_one_name_are_an_error) {
  expect_error(ErrorKind::bad_model, {"\"final_layer_norm.bias\"", "\"text_model.final_layer_norm.bias\""}, [] {
    with_current_names(std::make_unique<NameLengths>(std::vector<std::string>{"final_layer_norm.bias", "text_model.final_layer_norm.bias"}));
  });
}

}  // namespace
}  // namespace hayate
