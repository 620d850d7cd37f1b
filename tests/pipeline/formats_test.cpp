// One model in every layout: the same bits in the pictures. And what is refused, with the reason.
#include <gtest/gtest.h>

#include <filesystem>

#include "core/expect_error.h"
#include "core/json.h"
#include "core/float8.h"
#include "core/scratch_folder.h"
#include "hayate/inspect.h"
#include "pipeline/parity.h"
#include "weights/mapped_source.h"
#include "weights/safetensors.h"
#include "weights/safetensors_writer.h"

namespace hayate::testing {
namespace {

namespace fs = std::filesystem;

Result draw(const Options& options) {
  Request request;
  request.pictures = {{.prompt = "a photo of a red fox", .negative_prompt = "blurry", .seed = 3}};
  request.width = request.height = 48;
  request.steps = 2;
  return Pipeline(options).generate(request);
}

std::string weights_in(const fs::path& component) {
  for (const auto& entry : fs::directory_iterator(component))
    if (entry.path().extension() == ".safetensors") return entry.path().filename();
  return "";
}

// The tensors of a file, those at even places and those at odd ones apart, with an index.
void split_into_shards(const fs::path& component) {
  const std::string name = weights_in(component), base = name.substr(0, name.find('.'));
  const SafetensorsFile file(component / name);
  Json map = Json::object();
  for (int half : {0, 1}) {
    const std::string shard = fmt::format("{}-0000{}-of-00002.safetensors", base, half + 1);
    std::vector<TensorInfo> tensors;
    for (size_t i = 0; i < file.tensors().size(); ++i) {
      const StoredTensor& t = file.tensors()[i];
      if (int(i % 2) != half) continue;
      tensors.push_back({t.name, file.dtype(t.name), t.dims});
      map[t.name] = shard;
    }
    SafetensorsWriter writer(component / shard, tensors);
    for (const TensorInfo& t : tensors) {
      int64_t count = size_of(t.dtype);
      for (int64_t d : t.dims) count *= d;
      std::vector<std::byte> data(static_cast<size_t>(count));
      file.read(t.name, t.dtype, data);
      writer.write(t.name, data);
    }
    writer.commit();
  }
  std::ofstream(component / (base + ".safetensors.index.json")) << Json{{"metadata", {{"total_size", 1}}}, {"weight_map", map}};
  fs::remove(component / name);
}

// A model of tests/data/parity and places to put it in another layout.
struct Formats : ::testing::TestWithParam<const char*> {
  ScratchFolder folder;
  const fs::path original = kParityFolder + GetParam();
  const Result expected = draw({.model = original});

  std::string copy(const std::string& name) const {
    fs::copy(original, folder / name, fs::copy_options::recursive);
    return folder / name;
  }
  std::vector<fs::path> networks(const std::string& model) const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(model))
      if (entry.is_directory() && !weights_in(entry.path()).empty()) found.push_back(entry.path());
    return found;
  }
  // The file, with the tokenizers beside it: the tiny models have a vocabulary of their own.
  std::string single_file(const std::string& dtype = "") const {
    convert_model({.model = original}, folder / "model.safetensors", dtype);
    for (const char* name : {"tokenizer", "tokenizer_2"})
      if (fs::exists(original / name)) fs::create_symlink(original / name, folder / name);
    return folder / "model.safetensors";
  }
  void expect_same(const Options& options) const {
    const Result result = draw(options);
    EXPECT_EQ(result.latents, expected.latents);
    EXPECT_EQ(result.images[0].rgb, expected.images[0].rgb);
  }
};

INSTANTIATE_TEST_SUITE_P(Tiny, Formats, ::testing::Values("tiny-sdxl", "tiny-ssd1b", "tiny-sd15"),
                         [](const auto& info) { return std::string(info.param).substr(5); });

TEST_P(Formats, Variants) {
  const std::string model = copy("model");
  for (const fs::path& component : networks(model)) {
    const std::string name = weights_in(component);
    fs::rename(component / name, component / (name.substr(0, name.find('.')) + ".fp16.safetensors"));
  }
  expect_same({.model = model});
}

TEST_P(Formats, Shards) {
  const std::string model = copy("model");
  for (const fs::path& component : networks(model)) split_into_shards(component);
  expect_same({.model = model});
}

TEST_P(Formats, SingleFile) {
  expect_same({.model = single_file()});
  expect_same({.model = folder / ""});  // which holds nothing else
}

TEST_P(Formats, AFolderWrittenFromASingleFile) {
  convert_model({.model = single_file()}, folder / "back", "");
  expect_same({.model = folder / "back"});
  for (const fs::path& component : networks(folder / "back")) {
    const SafetensorsFile before((original / component.filename() / weights_in(component)).string()),
        after((component / weights_in(component)).string());
    EXPECT_EQ(before.tensors().size(), after.tensors().size()) << component;
    EXPECT_EQ(read_json_file(component / "config.json"), read_json_file(original / component.filename() / "config.json"));
  }
}

TEST_P(Formats, HubCache) {
  const fs::path cache = folder / "hub", model = cache / "models--org--tiny.model", snapshot = model / "snapshots/0123abc";
  int blob = 0;
  for (const auto& entry : fs::recursive_directory_iterator(original)) {
    if (entry.is_directory()) continue;
    const fs::path to = snapshot / fs::relative(entry.path(), original), content = model / "blobs" / std::to_string(blob++);
    fs::create_directories(to.parent_path());
    fs::create_directories(content.parent_path());
    fs::copy_file(entry.path(), content);
    fs::create_symlink(fs::relative(content, to.parent_path()), to);
  }
  fs::create_directories(model / "refs");
  std::ofstream(model / "refs/main") << "0123abc\n";
  expect_same({.model = "org/tiny.model", .hub_cache = cache});
}

TEST_P(Formats, EveryPartReplacedByAFile) {
  const std::string single = single_file();
  Options options{.model = original, .unet = single, .vae = single, .text_encoder = single};
  if (GetParam() != std::string("tiny-sd15")) options.text_encoder_2 = single;
  expect_same(options);
  options.unet = original / "unet";
  options.vae = original / "vae" / weights_in(original / "vae");
  options.text_encoder = original;
  expect_same(options);
}

TEST_P(Formats, Float32HoldsTheSameValues) {
  const std::string wide = single_file("f32");
  const SafetensorsFile file(wide);
  for (const StoredTensor& t : file.tensors()) EXPECT_EQ(t.type->name, std::string("F32"));
  expect_same({.model = wide});
}

// The file as ComfyUI scales it: matrices in eight bits with a scale each. And, for comparison, what these stand for in float32.
void write_scaled(const std::string& from, const std::string& scaled, const std::string& plain) {
  const SafetensorsFile file(from);
  std::vector<TensorInfo> in_eight, in_float;
  auto module_of = [](const StoredTensor& t) { return t.dims.size() > 1 && t.name.ends_with(".weight") ? t.name.substr(0, t.name.size() - 6) : ""; };
  for (const StoredTensor& t : file.tensors()) {
    const std::string module = module_of(t);
    in_eight.push_back({t.name, module.empty() ? Dtype::f32 : Dtype::f8, t.dims});
    if (!module.empty()) in_eight.insert(in_eight.end(), {{module + "scale_weight", Dtype::f32, {}}, {module + "scale_input", Dtype::f32, {}}});
    in_float.push_back({t.name, Dtype::f32, t.dims});
  }
  in_eight.push_back({"scaled_fp8", Dtype::f8, {0}});
  SafetensorsWriter eight(scaled, in_eight, file.metadata()), wide(plain, in_float, file.metadata());
  for (const StoredTensor& t : file.tensors()) {
    const std::string module = module_of(t);
    std::vector<float> values(size_t(element_count(t.dims)));
    file.read(t.name, Dtype::f32, std::as_writable_bytes(std::span(values)));
    if (!module.empty()) {
      float largest = 0;
      for (float v : values) largest = std::max(largest, std::abs(v));
      const float scale = largest / 448, unused = 1000;
      std::vector<f8_e4m3> bits;
      for (float& v : values) {
        bits.push_back(from_float<f8_e4m3>(v / scale));
        v = to_float(bits.back()) * scale;
      }
      eight.write(t.name, std::as_bytes(std::span(bits)));
      eight.write(module + "scale_weight", std::as_bytes(std::span(&scale, 1)));
      eight.write(module + "scale_input", std::as_bytes(std::span(&unused, 1)));
    } else {
      eight.write(t.name, std::as_bytes(std::span(values)));
    }
    wide.write(t.name, std::as_bytes(std::span(values)));
  }
  eight.commit();
  wide.commit();
}

bool is_scaled(const ModelInfo& model) {
  return std::ranges::all_of(model.components, [](const ComponentInfo& c) { return c.parameters_by_dtype.contains("f8_e4m3 scaled"); });
}

TEST_P(Formats, ScaledEightBitFloatsInASingleFile) {
  const std::string scaled = folder / "scaled.safetensors", plain = folder / "plain.safetensors";
  write_scaled(single_file("f32"), scaled, plain);
  std::vector<Lora> loras;
  if (GetParam() == std::string("tiny-sdxl")) loras.push_back({kParityFolder + "../lora/kohya.safetensors"});
  const Result result = draw({.model = scaled, .loras = loras});
  EXPECT_EQ(result.latents, draw({.model = plain, .loras = loras}).latents);
  EXPECT_NE(result.latents, expected.latents);
  EXPECT_TRUE(is_scaled(inspect_model({.model = scaled})));
  convert_model({.model = scaled}, folder / "converted.safetensors");
  EXPECT_EQ(draw({.model = folder / "converted.safetensors"}).latents, draw({.model = plain}).latents);
  EXPECT_FALSE(is_scaled(inspect_model({.model = folder / "converted.safetensors"})));
  const Options part{.model = original, .unet = scaled};
  EXPECT_EQ(draw(part).latents, draw({.model = original, .unet = plain}).latents);
}

TEST_P(Formats, ScaledEightBitFloatsInAFolder) {
  const std::string scaled = copy("scaled"), plain = copy("plain");
  for (const fs::path& component : networks(scaled)) {
    const fs::path name = component.filename() / weights_in(component), from = original / name;
    fs::remove(scaled / name);
    fs::remove(plain / name);
    write_scaled(from, scaled / name, plain / name);
  }
  EXPECT_EQ(draw({.model = scaled}).latents, draw({.model = plain}).latents);
  EXPECT_TRUE(is_scaled(inspect_model({.model = scaled})));
}

TEST(ConvertModel, TellsHowFarItIsAndLeavesNothingWhenStopped) {
  const std::string model = kParityFolder + "tiny-sd15";
  for (const char* name : {"file.safetensors", "folder"}) {
    ScratchFolder folder;
    int64_t calls = 0, last = 0, whole = 0;
    convert_model({.model = model}, folder / "first.safetensors", "f32", [&](int64_t done, int64_t total) {
      EXPECT_TRUE(done > last && done <= total);
      last = done, whole = total, ++calls;
      return true;
    });
    EXPECT_EQ(last, whole);
    const SafetensorsFile file(folder / "first.safetensors");
    EXPECT_EQ(whole, file.tensors().back().end - file.tensors().front().begin);
    fs::remove(folder / "first.safetensors");
    expect_error(ErrorKind::cancelled, {"nothing is written"},
                 [&] { convert_model({.model = model}, folder / name, "", [&](int64_t, int64_t) { return --calls > 1; }); });
    EXPECT_TRUE(folder.entries().empty());
  }
}

TEST(ConvertModel, NothingIsReplacedAndNothingHalfWritten) {
  const std::string model = kParityFolder + "tiny-sd15";
  ScratchFolder folder;
  for (const char* name : {"there.safetensors", "there"}) {
    folder.write(name, "precious");
    expect_error(ErrorKind::usage, {name, "exists"}, [&] { convert_model({.model = model}, folder / name); });
    EXPECT_EQ(slurp(folder / name), "precious");
  }
  expect_error(ErrorKind::usage, {"f8"}, [&] { convert_model({.model = model}, folder / "new", "f8"); });
  expect_error(ErrorKind::not_found, {"absent"}, [&] { convert_model({.model = folder / "absent"}, folder / "new"); });
  expect_error(ErrorKind::not_found, {"no/folder"}, [&] { convert_model({.model = model}, folder / "no/folder"); });

  fs::copy(model, folder / "cut", fs::copy_options::recursive);
  fs::resize_file(folder / "cut/vae/diffusion_pytorch_model.safetensors", 60000);
  for (const char* name : {"new", "new.safetensors"})
    expect_error(ErrorKind::bad_file, {"vae", "cut short"}, [&] { convert_model({.model = folder / "cut"}, folder / name); });
  EXPECT_EQ(folder.entries().size(), 3u);
}

// The file's tensors in float32, one value of one of them replaced.
void write_changed(const std::string& from, const std::string& to, const std::string& changed, float value) {
  const SafetensorsFile file(from);
  std::vector<TensorInfo> tensors;
  for (const StoredTensor& t : file.tensors()) tensors.push_back({t.name, Dtype::f32, t.dims});
  SafetensorsWriter writer(to, tensors);
  for (const TensorInfo& t : tensors) {
    int64_t count = 1;
    for (int64_t d : t.dims) count *= d;
    std::vector<float> values(static_cast<size_t>(count));
    file.read(t.name, Dtype::f32, std::as_writable_bytes(std::span(values)));
    if (t.name == changed) values[0] = value;
    writer.write(t.name, std::as_bytes(std::span(values)));
  }
  writer.commit();
}

TEST(ConvertModel, AValueThatTheTypeCannotHoldIsNamed) {
  ScratchFolder folder;
  const std::string model = kParityFolder + "tiny-sd15", name = "decoder.conv_in.weight";
  write_changed(model + "/vae/diffusion_pytorch_model.safetensors", folder / "vae.safetensors", name, 1e6f);
  const Options options{.model = model, .vae = folder / "vae.safetensors"};
  expect_error(ErrorKind::not_finite, {name.c_str(), "f16"}, [&] { convert_model(options, folder / "out", "f16"); });
  EXPECT_FALSE(fs::exists(folder / "out"));
  convert_model(options, folder / "out", "bf16");
  EXPECT_TRUE(fs::exists(folder / "out/vae/config.json"));
}

TEST(ReplacedParts, WhatDoesNotBelongIsRefused) {
  ScratchFolder folder;
  const std::string sdxl = kParityFolder + "tiny-sdxl", sd15 = kParityFolder + "tiny-sd15", vae = sdxl + "/vae/diffusion_pytorch_model.safetensors";
  auto open = [](const Options& options) { Pipeline pipeline(options); };
  expect_error(ErrorKind::bad_model, {"addition_embed_type"}, [&] { open({.model = sdxl, .unet = sd15 + "/unet"}); });
  expect_error(ErrorKind::bad_model, {"text encoders make 48 columns, the unet reads 40"},
               [&] { open({.model = sdxl, .text_encoder = sdxl + "/text_encoder_2"}); });
  expect_error(ErrorKind::usage, {"Stable Diffusion 1.x", "text_encoder_2"}, [&] { open({.model = sd15, .text_encoder_2 = vae}); });
  expect_error(ErrorKind::bad_model, {"vae/diffusion", "has no unet", "autoencoder"}, [&] { open({.model = sdxl, .unet = vae}); });
  expect_error(ErrorKind::not_found, {"absent"}, [&] { open({.model = sdxl, .vae = folder / "absent"}); });
  expect_error(ErrorKind::bad_file, {"lfs"},
               [&] { open({.model = sdxl, .vae = folder.write("pointer", "version https://git-lfs.github.com/spec/v1\n")}); });
}

TEST(Models, WhatIsNoneIsNamed) {
  ScratchFolder folder;
  auto refused = [&](ErrorKind kind, const std::string& content, std::initializer_list<const char*> mentions) {
    const std::string path = folder.write("model.safetensors", content);
    expect_error(kind, mentions, [&] { Pipeline({.model = path}); });
  };
  const ErrorKind bad = ErrorKind::bad_file;
  refused(bad, "", {"model.safetensors", "0 bytes"});
  refused(bad, "\x89PNG\r\n\x1a\n and so on", {"PNG picture"});
  refused(bad, "RIFF1234WEBPVP8 ", {"WebP"});
  refused(bad, "<!DOCTYPE html><html>", {"HTML"});
  refused(bad, "version https://git-lfs.github.com/spec/v1\n", {"git-lfs"});
  refused(bad, "PK\x03\x04 and so on", {"zip", "PyTorch"});
  refused(bad, "GGUF and so on", {"GGUF"});
  expect_error(ErrorKind::not_found, {"org/name", "cache/models--org--name", "hf download org/name"},
               [&] { Pipeline({.model = "org/name", .hub_cache = folder / "cache"}); });
  folder.write("cache/models--org--name/refs/main", "../../..");
  expect_error(bad, {"refs/main", "snapshot"}, [&] { Pipeline({.model = "org/name", .hub_cache = folder / "cache"}); });
  folder.write("cache/models--org--name/refs/main", "abc");
  expect_error(ErrorKind::not_found, {"refs/main", "abc"}, [&] { Pipeline({.model = "org/name", .hub_cache = folder / "cache"}); });
}

}  // namespace
}  // namespace hayate::testing
