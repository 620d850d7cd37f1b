// hayate inspect on models, on every case of the corpus of .safetensors files, and on pictures.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/run_program.h"
#include "cli/text_table.h"
#include "core/scratch_folder.h"
#include "hayate/hayate.h"
#include "weights/safetensors_cases.h"

namespace hayate {
namespace {

using nlohmann::json;

const std::string model = HAYATE_SOURCE_DIR "/models/builtin";

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

json inspect_json(const std::string& path) {
  Outcome o = run_program({"inspect", path, "--json"});
  EXPECT_EQ(o.status, 0) << o.err;
  return json::parse(o.out);
}

TEST(Inspect, AModel) {
  Outcome o = run_program({"inspect", model});
  ASSERT_EQ(o.status, 0) << o.err;
  for (const char* part :
       {"builtin\n", "Stable Diffusion XL", "256x256", "EulerDiscreteScheduler", "\nunet ", "\ntext_encoder_2 ", "\nvae ", " MiB in "})
    EXPECT_TRUE(contains(o.out, part)) << part << "\n" << o.out;
  json j = inspect_json(model);
  EXPECT_EQ(j["kind"], "model");
  EXPECT_EQ(j["width"], 256);
  ASSERT_EQ(j["components"].size(), 4u);
  int64_t parameters = 0;
  for (const json& component : j["components"]) {
    int64_t of_all_types = 0;
    for (const auto& [dtype, count] : component["parameters_by_dtype"].items()) of_all_types += count.get<int64_t>();
    EXPECT_EQ(component["parameters"], of_all_types);
    parameters += of_all_types;
  }
  EXPECT_GT(parameters, 2000000);
  EXPECT_GT(j["bytes"], 2 * parameters);
  EXPECT_LT(j["bytes"], 3 * parameters);
}

TEST(Inspect, AForecastOfMemory) {
  Outcome o = run_program({"inspect", model, "--size", "256x128", "--rung", "bf16"});
  ASSERT_EQ(o.status, 0) << o.err;
  EXPECT_TRUE(contains(o.out, "\npeak ") && contains(o.out, ", which fits\n")) << o.out;
  auto peak = [&](const char* size, const char* batch) {
    Outcome forecast = run_program({"inspect", model, "--size", size, "--batch", batch, "--rung", "bf16", "--json"});
    EXPECT_EQ(forecast.status, 0) << forecast.err;
    json j = json::parse(forecast.out);
    EXPECT_EQ(j["rung"], "bf16");
    return j["forecast"]["peak"].get<int64_t>();
  };
  EXPECT_LT(peak("256x128", "1"), peak("256x128", "4"));
  EXPECT_LT(peak("256x128", "1"), peak("512x512", "1"));
  EXPECT_EQ(run_program({"inspect", model, "--size", "255x128"}).status, 2);
}

TEST(Inspect, TensorsOfAFile) {
  json j = inspect_json(model + "/vae/diffusion_pytorch_model.safetensors");
  EXPECT_EQ(j["kind"], "tensors");
  auto found = std::find_if(j["tensors"].begin(), j["tensors"].end(), [](const json& t) { return t["name"] == "quant_conv.weight"; });
  ASSERT_NE(found, j["tensors"].end());
  EXPECT_EQ((*found)["shape"], (std::vector<int>{8, 8, 1, 1}));
  EXPECT_EQ((*found)["bytes"], 128);
  Outcome o = run_program({"inspect", model + "/vae/diffusion_pytorch_model.safetensors"});
  EXPECT_TRUE(contains(o.out, "\nquant_conv.weight ")) << o.out;
  EXPECT_TRUE(contains(o.out, "F16  (8, 8, 1, 1)    128 bytes\n")) << o.out;
}

TEST(Inspect, EveryCaseOfTheCorpus) {
  ScratchFolder scratch;
  for (const SafetensorsCase& c : safetensors_cases()) {
    Outcome o = run_program({"inspect", scratch.write("case.safetensors", c.file)});
    if (c.reason.empty()) {
      EXPECT_TRUE(o.status == 0 || (o.status == 4 && contains(o.err, "cannot compute with"))) << c.name << "\n" << o.err;
    } else {
      EXPECT_EQ(o.status, 3) << c.name << "\n" << o.err;
      EXPECT_TRUE(contains(o.err, c.reason)) << c.name << "\n" << o.err;
      EXPECT_EQ(o.out, "") << c.name;
    }
  }
}

TEST(Inspect, NumbersThatNobodyComputesWithAreNamed) {
  ScratchFolder scratch;
  std::string file = safetensors_bytes(R"({"t":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}})", 8);
  Outcome o = run_program({"inspect", scratch.write("a.safetensors", file)});
  EXPECT_EQ(o.status, 4);
  EXPECT_TRUE(contains(o.err, "tensor t is C64")) << o.err;
  file = safetensors_bytes(R"({"t":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}})", 8);
  EXPECT_EQ(run_program({"inspect", scratch.write("b.safetensors", file)}).status, 0);
}

TEST(Inspect, NamesDoNotReachTheTerminalRaw) {
  ScratchFolder scratch;
  std::string file = safetensors_bytes(R"({"\u001b[31m\r":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1);
  Outcome o = run_program({"inspect", scratch.write("a.safetensors", file)});
  EXPECT_EQ(o.status, 0);
  EXPECT_TRUE(o.out.starts_with(".[31m.  U8  (1)")) << o.out;
}

TEST(Inspect, APictureTellsItsSettings) {
  ScratchFolder scratch;
  Image image{.width = 8, .height = 16, .rgb = std::vector<uint8_t>(384, 99)};
  const std::string infotext = "a castle\nNegative prompt: fog\nSteps: 30, Sampler: Euler, Seed: 7, Model: \"a, b\"";
  for (auto [name, format] : {std::pair{"a.png", "PNG"}, {"a.jpg", "JPEG"}, {"a.webp", "WebP"}}) {
    write_image(scratch / name, image, infotext);
    json j = inspect_json(scratch / name);
    EXPECT_EQ(j["kind"], "picture");
    EXPECT_EQ(j["format"], format);
    EXPECT_EQ(j["height"], 16);
    EXPECT_EQ(j["prompt"], "a castle");
    EXPECT_EQ(j["negative_prompt"], "fog");
    EXPECT_EQ(j["settings"]["Model"], "a, b");
    EXPECT_EQ(j["infotext"], infotext);
    Outcome o = run_program({"inspect", scratch / name});
    EXPECT_TRUE(contains(o.out, "8x16\nprompt           a castle\nnegative prompt  fog\nSteps            30\n")) << o.out;
  }
  write_image(scratch / "plain.png", image);
  EXPECT_FALSE(inspect_json(scratch / "plain.png").contains("prompt"));
}

TEST(Inspect, WhatIsNothingOfTheKindIsNamed) {
  ScratchFolder scratch;
  for (const std::string& path :
       {scratch / "none", scratch.write("page.html", "<html>"), scratch.write("cut.png", "\x89PNG\r\n\x1a\n"), scratch / ""}) {
    Outcome o = run_program({"inspect", path});
    EXPECT_EQ(o.status, 3) << o.err;
    EXPECT_TRUE(contains(o.err, path)) << o.err;
  }
}

TEST(TextTable, ColumnsAreAlignedAndHarmless) {
  cli::TextTable table;
  table.add({"a", "b", "c"});
  table.add({"caf\xc3\xa9", "\x1b[1m", "x\ny"});
  table.add({"longer", "", ""});
  EXPECT_EQ(table.text(), "a       b     c\ncaf\xc3\xa9    .[1m  x\n              y\nlonger\n");
  EXPECT_EQ(cli::one_line("a\nbcd", 3), "a b...");
}

}  // namespace
}  // namespace hayate
