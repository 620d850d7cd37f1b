// TAESD's decoder against AutoencoderTiny of diffusers, value by value; its files; and pictures that it decodes.
#include "models/tiny_decoder.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/expect_error.h"
#include "core/random.h"
#include "core/scratch_folder.h"
#include "hayate/hayate.h"
#include "pipeline/parity.h"
#include "pipeline/read_floats.h"
#include "pipeline/sketch.h"
#include "support/random_weights.h"
#include "weights/prepared_weights.h"
#include "weights/safetensors.h"
#include "weights/safetensors_writer.h"
#include "weights/tiny_decoder_file.h"

namespace hayate::testing {
namespace {

const std::string kFolder = HAYATE_SOURCE_DIR "/tests/data/tiny_decoder/", kTiny = kFolder + "tiny",
                  kTinyFile = kTiny + "/diffusion_pytorch_model.safetensors";

std::vector<float> read(const TensorSource& file, const std::string& name) {
  int64_t count = 1;
  for (int64_t d : file.dims(name)) count *= d;
  std::vector<float> values(static_cast<size_t>(count));
  file.read(name, Dtype::f32, std::as_writable_bytes(std::span(values)));
  return values;
}

struct Stored {
  std::vector<int64_t> dims;
  std::vector<float> values;
};
void write_file(const std::string& path, const std::vector<std::pair<std::string, Stored>>& tensors) {
  std::vector<TensorInfo> infos;
  for (const auto& [name, t] : tensors) infos.push_back({name, Dtype::f32, t.dims});
  SafetensorsWriter writer(path, infos);
  for (const auto& [name, t] : tensors) writer.write(name, std::as_bytes(std::span(t.values)));
  writer.commit();
}

// As tools/dump_tiny_decoder.py draws it, under the original names: the numbers of diffusers and one.
std::vector<std::pair<std::string, Stored>> full_size(int64_t latent_channels = 4) {
  std::vector<std::pair<std::string, Stored>> all;
  TorchCpuGenerator generator(5);
  auto add = [&](const std::string& name, std::vector<int64_t> dims) {
    int64_t count = 1;
    for (int64_t d : dims) count *= d;
    Stored t{dims, std::vector<float>(size_t(count))};
    generator.randn(t.values, RandnType::f32);
    const double scale = dims.size() == 1 ? 0.3 : std::sqrt(1.2 / double(count / dims[0]));
    for (float& v : t.values) v *= float(scale);
    all.emplace_back(name, std::move(t));
  };
  int layer = 0;
  auto convolution = [&](const std::string& name, int64_t out, int64_t in, bool bias) {
    add(name + ".weight", {out, in, 3, 3});
    if (bias) add(name + ".bias", {out});
  };
  convolution(std::to_string(layer + 1), 64, latent_channels, true), layer += 2;
  for (int blocks : {3, 3, 3, 1}) {
    for (int k = 0; k < blocks; ++k, ++layer)
      for (const char* part : {".conv.0", ".conv.2", ".conv.4"}) convolution(std::to_string(layer + 1) + part, 64, 64, true);
    if (blocks == 1) break;
    ++layer;  // the upsampling
    convolution(std::to_string(layer + 1), 64, 64, false), ++layer;
  }
  convolution(std::to_string(layer + 1), 3, 64, true);
  for (float& v : all[all.size() - 2].second.values) v *= 0.1f;
  for (float& v : all.back().second.values) v = v * 0.1f + 0.5f;
  return all;
}

void expect_golden(const std::string& golden_file, const TinyDecoderFile& file, const std::string& device) {
  const SafetensorsFile golden(golden_file);
  const LatentDecoder decoder = tiny_decoder(parse_tiny_decoder_config(file.config));
  const std::vector<int64_t> dims = golden.dims("input.latents");
  std::vector<float> latents = read(golden, "input.latents");
  decoder.prepare(latents);
  const auto backend = backend_named(device);
  PreparedWeights weights(backend, file.tensors, "tiny");
  auto exec = backend->compile(decoder.whole(dims[0], dims[1], dims[2]), weights, {.keep_all = true});
  exec->write("latents", std::as_bytes(std::span(latents)));
  exec->run(Rate::prompt);
  size_t compared = 0;
  for (const Ran& value : read_values(*exec)) {
    if (value.name.ends_with(".sum")) continue;  // within a module of diffusers
    if (value.name == "decoder") {
      EXPECT_LE(relative_l2(value.data, read(golden, "picture")), 1e-5);
    }
    ASSERT_TRUE(golden.has(value.name)) << value.name;
    EXPECT_LE(relative_l2(sketch(value.data), read(golden, value.name)), 1e-5) << value.name;
    ++compared;
  }
  EXPECT_EQ(compared + 2, golden.names().size()) << "but for input.latents and picture";
}

TEST(TinyDecoder, EqualsDiffusersValueByValue) {
  expect_golden(kFolder + "tiny.safetensors", open_tiny_decoder(kTiny), "reference");
  for (const std::string& device : fast_devices()) expect_golden(kFolder + "tiny.safetensors", open_tiny_decoder(kTiny), device);
}

TEST(TinyDecoder, OfThePublishedSizeAndUnderOriginalNames) {
  ScratchFolder scratch;
  write_file(scratch / "taesdxl_decoder.safetensors", full_size());
  for (const std::string& device : fast_devices())
    expect_golden(kFolder + "full.safetensors", open_tiny_decoder(scratch / "taesdxl_decoder.safetensors"), device);
}

TEST(TinyDecoder, DecodesPicturesInOnePieceAndInTiles) {
  const std::string model = HAYATE_SOURCE_DIR "/models/builtin";
  ScratchFolder scratch;
  write_file(scratch / "taesdxl_decoder.safetensors", full_size());
  auto draw = [&](const std::string& decoder, VaeTiling tiling) {
    Pipeline pipeline({.model = model, .tiny_decoder = decoder, .rung = "fp32", .vae_tiling = tiling});
    return pipeline.generate({.pictures = {{.prompt = "a castle", .seed = 3, .guidance = 1}}, .width = 64, .height = 48, .steps = 1});
  };
  for (const std::string& decoder : {kTiny, scratch / "taesdxl_decoder.safetensors"}) {
    const Result whole = draw(decoder, VaeTiling::off), tiled = draw(decoder, VaeTiling::on), vae = draw("", VaeTiling::off);
    EXPECT_EQ(whole.images[0].rgb, tiled.images[0].rgb);
    EXPECT_EQ(whole.latents, vae.latents);
    EXPECT_NE(whole.images[0].rgb, vae.images[0].rgb);
    EXPECT_NE(whole.infotext[0].find(decoder == kTiny ? "VAE Decoder: tiny, " : "VAE Decoder: taesdxl_decoder, "), std::string::npos)
        << whole.infotext[0];

    const TinyDecoderFile file = open_tiny_decoder(decoder);
    const LatentDecoder network = tiny_decoder(parse_tiny_decoder_config(file.config));
    std::vector<float> latents = whole.latents;
    network.prepare(latents);
    const auto backend = make_reference_backend();
    PreparedWeights weights(backend, file.tensors, "tiny");
    auto exec = backend->compile(network.whole(1, 6, 8), weights, {});
    exec->write("latents", std::as_bytes(std::span(latents)));
    exec->run(Rate::prompt);
    const std::vector<float> pixels = read_floats(*exec, exec->program().outputs[0]);
    for (size_t i = 0; i < pixels.size(); ++i)
      ASSERT_LE(std::abs(float(whole.images[0].rgb[i]) - std::clamp((pixels[i] + 1) * 127.5f, 0.0f, 255.0f)), 0.51f) << i;
  }
}

TEST(TinyDecoder, FilesThatAreNone) {
  ScratchFolder scratch;
  auto refuse = [&](std::vector<std::pair<std::string, Stored>> tensors, std::initializer_list<const char*> mentions) {
    write_file(scratch / "d.safetensors", tensors);
    expect_error(ErrorKind::bad_model, mentions,
                 [&] { Pipeline pipeline({.model = HAYATE_SOURCE_DIR "/models/builtin", .tiny_decoder = scratch / "d.safetensors"}); });
  };
  auto changed = [](auto change) {
    auto all = full_size();
    change(all);
    return all;
  };
  refuse({{"0.weight", {{64, 3, 3, 3}, std::vector<float>(1728, 1)}}}, {"d.safetensors", "0.weight", "TAESD's encoder perhaps"});
  refuse({{"x.weight", {{2}, {1, 2}}}}, {"x.weight", "not in TAESD's decoder"});
  refuse({{"encoder.layers.0.weight", {{2}, {1, 2}}}}, {"no decoder of TAESD"});
  refuse(changed([](auto& all) { all.pop_back(); }), {"decoder.layers.18.bias"});
  refuse(changed([](auto& all) { all.emplace_back("77.weight", Stored{{2}, {1, 2}}); }), {"decoder.layers.76.weight"});
  refuse(changed([](auto& all) { all[1].second = {{2}, {1, 2}}; }), {"decoder.layers.0.bias"});
  refuse(full_size(16), {"16 channels", "4"});  // of SD3 and FLUX
  expect_error(ErrorKind::not_found, {"none"}, [&] { Pipeline pipeline({.tiny_decoder = scratch / "none"}); });
  expect_error(ErrorKind::bad_model, {"_class_name", "AutoencoderTiny"},
               [&] { Pipeline pipeline({.tiny_decoder = HAYATE_SOURCE_DIR "/models/builtin/vae"}); });
  auto config = [](const char* changes) {
    Json json = {{"num_decoder_blocks", {3, 3, 3, 1}}};
    json.update(Json::parse(changes));
    return JsonObject(json, "config.json");
  };
  for (const char* changes : {R"({"act_fn": "gelu"})", R"({"upsample_fn": "bilinear"})", R"({"upsampling_scaling_factor": 3})",
                              R"({"decoder_block_out_channels": [64, 64, 32, 64]})"})
    expect_error(ErrorKind::unsupported, {"config.json"}, [&] { parse_tiny_decoder_config(config(changes)); });
  expect_error(ErrorKind::bad_model, {"config.json"}, [&] { parse_tiny_decoder_config(config(R"({"decoder_block_out_channels": [64]})")); });
}

}  // namespace
}  // namespace hayate::testing
