// Several models and LoRA sets in one server: each by its name, loaded while memory is enough.
#include <fmt/format.h>

#include "core/scratch_folder.h"
#include "server/base64.h"
#include "server/pictures.h"
#include "server/pipeline_pool.h"
#include "server/serving.h"

namespace hayate::testing {
namespace {

using server::Catalog;
using server::PipelineKey;
using server::PipelinePool;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string data = HAYATE_SOURCE_DIR "/tests/data/", other = data + "parity/tiny-sdxl", lora_folder = data + "lora";

ServeOptions two_models() {
  ServeOptions options = in_float32();
  options.models = {"", other};
  options.lora_folder = lora_folder;
  return options;
}

Request small_request() { return {.pictures = {{.prompt = "a red castle", .seed = 3}}, .width = 64, .height = 64, .steps = 2}; }
Image drawn_by(const std::string& model, const std::vector<Lora>& loras = {}) {
  Options options = in_float32().pipeline;
  options.model = model, options.loras = loras;
  return Pipeline(options).generate(small_request()).images[0];
}
Image image_of(const Json& base64) { return decode_image(server::from_base64(base64.get<std::string>()).value_or(""), "answer").image; }

TEST(Models, AreChosenByNameInEveryApi) {
  Serving serving(two_models());
  const Image first = drawn_by(""), second = drawn_by(other);
  auto openai = [&](const char* model) {
    return image_of(serving.post("/v1/images/generations", tiny({{"model", model}})).json()["data"][0]["b64_json"]);
  };
  auto web_ui = [&](const Json& more) {
    Json body = tiny({{"cfg_scale", 5}});
    body.update(more);
    return image_of(serving.post("/sdapi/v1/txt2img", body).json()["images"][0]);
  };
  EXPECT_LE(largest_difference(openai("tiny-sdxl"), second), batch_difference);
  EXPECT_LE(largest_difference(openai("dall-e-3"), first), batch_difference);
  EXPECT_LE(largest_difference(web_ui({{"override_settings", {{"sd_model_checkpoint", "tiny-sdxl"}}}}), second), batch_difference);
  EXPECT_LE(largest_difference(web_ui(Json::object()), first), batch_difference);
  EXPECT_EQ(serving.post("/sdapi/v1/options", {{"sd_model_checkpoint", "tiny-sdxl"}}).status, 200);
  EXPECT_LE(largest_difference(web_ui(Json::object()), second), batch_difference);
  EXPECT_LE(largest_difference(openai("dall-e-3"), second), batch_difference);  // the default of all APIs
  EXPECT_EQ(serving.get("/sdapi/v1/options").json()["sd_model_checkpoint"], "tiny-sdxl");
  EXPECT_EQ(serving.get("/v2/models/tiny-sdxl/ready").status, 200);
}

TEST(Models, LorasOfARequestAreOnItOnly) {
  Serving serving(two_models());
  const Lora kohya{lora_folder + "/kohya.safetensors", 0.7f}, dora{lora_folder + "/dora.safetensors"};
  auto jobs_api = [&](const Json& loras) {
    const Json done = serving.wait_until(serving.submit(tiny({{"model", "tiny-sdxl"}, {"loras", loras}}))["id"], "done");
    return decode_image(serving.get(done["pictures"][0]["url"]).body, "answer");
  };
  const Json first = {{{"name", "kohya"}, {"weight", 0.7}}};
  const ImageFile with_first = jobs_api(first);
  EXPECT_LE(largest_difference(with_first.image, drawn_by(other, {kohya})), batch_difference);
  EXPECT_THAT(with_first.infotext, HasSubstr("kohya:0.7"));
  EXPECT_LE(largest_difference(jobs_api(Json::array()).image, drawn_by(other)), batch_difference);
  EXPECT_LE(largest_difference(jobs_api({first[0], {{"name", "dora"}}}).image, drawn_by(other, {kohya, dora})), batch_difference);
  const Json web_ui =
      serving
          .post("/sdapi/v1/txt2img",
                tiny({{"cfg_scale", 5}, {"prompt", "a red castle<lora:kohya:0.7>"}, {"override_settings", {{"sd_model_checkpoint", "tiny-sdxl"}}}}))
          .json();
  ASSERT_EQ(web_ui["images"].size(), 1u) << web_ui;
  EXPECT_LE(largest_difference(image_of(web_ui["images"][0]), with_first.image), batch_difference);
}

// A file of the folder that is no LoRA spoils its own request only.
TEST(Models, ABrokenLoraIsItsRequestsError) {
  ScratchFolder folder;
  folder.write("broken.safetensors", "no such thing");
  ServeOptions options = two_models();
  options.lora_folder = folder / "";
  Serving serving(options);
  const Json failed = serving.wait_until(serving.submit(tiny({{"loras", {{{"name", "broken"}}}}}))["id"], "failed");
  EXPECT_THAT(failed["error"]["message"].get<std::string>(), HasSubstr("broken.safetensors"));
  EXPECT_EQ(serving.wait_until(serving.submit(tiny())["id"], "done")["status"], "done");
  for (const Json& wrong : {Json(11), Json(-1e30), Json("1"), Json(nullptr)}) {
    const int status = serving.post("/api/jobs", tiny({{"loras", {{{"name", "broken"}, {"weight", wrong}}}}})).status;
    EXPECT_EQ(status, wrong.is_null() ? 202 : 400) << wrong;
  }
  EXPECT_EQ(serving.post("/sdapi/v1/txt2img", tiny({{"prompt", "<lora:broken:11> a"}})).status, 400);
  EXPECT_EQ(serving.post("/sdapi/v1/txt2img", tiny({{"prompt", "<lora:../broken:1> a"}})).status, 404);
}

std::vector<std::string> names(const PipelinePool& pool) {
  std::vector<std::string> all;
  for (const PipelineKey& key : pool.loaded()) all.push_back(key.model);
  return all;
}

TEST(PipelinePool, OnePipelineServesEveryLoraSet) {
  const Catalog catalog({other}, in_float32().pipeline, lora_folder);
  PipelinePool pool(catalog, "cpu");
  auto latents = [&](const std::vector<Lora>& loras) {
    return pool.get({{.model = "tiny-sdxl", .rung = "fp32"}, loras}, small_request()).pipeline.generate(small_request()).latents;
  };
  const std::vector<float> plain = latents({}), with = latents({{lora_folder + "/kohya.safetensors"}});
  EXPECT_NE(plain, with);
  EXPECT_EQ(latents({}), plain);
  EXPECT_THAT(names(pool), ElementsAre("tiny-sdxl"));
}

TEST(PipelinePool, TheOneUsedLongestAgoGivesWay) {
  Options options = in_float32().pipeline;
  int64_t largest = 0, all = 0;
  for (const std::string& model : {std::string(), other}) {
    options.model = model;
    const int64_t peak = Pipeline(options).forecast(small_request()).peak;
    largest = std::max(largest, peak), all += peak;
  }
  for (const bool both : {true, false}) {
    options.memory_limit = both ? 2 * all : largest + largest / 10;
    const Catalog catalog({"", other}, options, "");
    PipelinePool pool(catalog, "cpu");
    for (const char* model : {"built-in", "tiny-sdxl", "built-in"}) pool.get({.pipeline = {.model = model, .rung = "fp32"}}, small_request());
    if (both)
      EXPECT_THAT(names(pool), ElementsAre("built-in", "tiny-sdxl"));  // the last used first
    else
      EXPECT_THAT(names(pool), ElementsAre("built-in"));
    EXPECT_LE(pool.bytes(), options.memory_limit);
  }
}

TEST(PipelinePool, OfThreeTheOneUsedLongestAgoGivesWay) {
  const std::string third = data + "parity/tiny-sd15";
  Options options = in_float32().pipeline;
  std::vector<int64_t> peaks;
  for (const std::string& model : {std::string(), other, third}) {
    options.model = model;
    peaks.push_back(Pipeline(options).forecast(small_request()).peak);
  }
  options.memory_limit = peaks[0] + peaks[1] + peaks[2] - *std::ranges::min_element(peaks) / 2;  // for any two
  const Catalog catalog({"", other, third}, options, "");
  PipelinePool pool(catalog, "cpu");
  for (const char* model : {"built-in", "tiny-sdxl", "built-in", "tiny-sd15"}) {
    pool.get({.pipeline = {.model = model, .rung = "fp32"}}, small_request()).pipeline.generate(small_request());
    EXPECT_LE(pool.bytes(), options.memory_limit);
  }
  EXPECT_THAT(names(pool), ElementsAre("tiny-sd15", "built-in"));
}

// Of the gauge; 0 before the server has warmed up.
double model_memory(Serving& serving) {
  const std::string metrics = serving.get("/metrics").body, name = "\nhayate_model_memory_bytes ";
  return metrics.find("hayate_stage_seconds_count") == metrics.npos ? 0 : std::stod(metrics.substr(metrics.find(name) + name.size()));
}

// What warms up, what names no rung and what names the default one are drawn by one pipeline.
TEST(Models, TheDefaultRungIsOpenedOnce) {
  for (const std::string rung : {"", "bf16"}) {
    ServeOptions options;
    options.pipeline.rung = rung;
    Serving serving(options);
    double warm = 0;
    for (int i = 0; i < 6000 && !warm; ++i, std::this_thread::sleep_for(std::chrono::milliseconds(10))) warm = model_memory(serving);
    ASSERT_GT(warm, 0);
    for (const Json& more : {Json::object(), Json{{"rung", rung.empty() ? "projections" : rung}}})
      ASSERT_EQ(serving.wait_until(serving.submit(tiny(more))["id"], "done")["status"], "done");
    EXPECT_LT(model_memory(serving), 1.3 * warm);
  }
}

// Through the service: all are open while memory is enough, and with less each still draws what it draws.
TEST(Models, ManyWithinAMemoryLimit) {
  const Image first = drawn_by(""), second = drawn_by(other);
  Options options = in_float32().pipeline;
  for (const bool both : {true, false}) {
    ServeOptions serve = two_models();
    serve.pipeline.memory_limit = both ? int64_t{4} << 30 : Pipeline(options).forecast({.pictures = {{}}, .steps = 6}).peak * 21 / 20;
    Serving serving(serve);
    auto drawn = [&](const char* model) {
      const Json done = serving.wait_until(serving.submit(tiny({{"model", model}}))["id"], "done");
      EXPECT_EQ(done.value("status", ""), "done") << done;
      return decode_image(serving.get(done["pictures"][0]["url"]).body, "answer").image;
    };
    for (int round = 0; round < 2; ++round) {
      EXPECT_LE(largest_difference(drawn("built-in"), first), batch_difference);
      EXPECT_LE(largest_difference(drawn("tiny-sdxl"), second), batch_difference);
    }
  }
}

}  // namespace
}  // namespace hayate::testing
