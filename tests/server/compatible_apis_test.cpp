// The APIs that other programs' clients speak: OpenAI's, AUTOMATIC1111's, the inference protocol; and their description.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <regex>
#include <set>

#include "server/base64.h"
#include "server/pictures.h"
#include "server/routes.h"
#include "server/serving.h"

namespace hayate::testing {
namespace {

using server::from_base64;
using server::to_base64;
using ::testing::HasSubstr;

Image image_of(const Json& base64) { return decode_image(from_base64(base64.get<std::string>()).value_or(""), "answer").image; }

Image drawn_directly(const std::string& prompt, uint64_t seed, const std::string& scheduler = "", PromptSyntax syntax = PromptSyntax::diffusers,
                     float guidance = 5) {
  Pipeline pipeline(in_float32().pipeline);
  return pipeline
      .generate({.pictures = {{.prompt = prompt, .seed = seed, .guidance = guidance}},
                 .width = 64,
                 .height = 64,
                 .steps = 2,
                 .prompt_syntax = syntax,
                 .scheduler = scheduler})
      .images[0];
}

TEST(OpenAiApi, DrawsPictures) {
  Serving serving(in_float32());
  const Reply reply = serving.post(
      "/v1/images/generations",
      {{"prompt", "a red castle"}, {"model", "gpt-image-1"}, {"n", 2}, {"size", "64x64"}, {"steps", 2}, {"seed", 3}, {"user", "someone"}});
  ASSERT_EQ(reply.status, 200) << reply.body.substr(0, 300);
  const Json answer = reply.json();
  ASSERT_EQ(answer["data"].size(), 2u);
  EXPECT_GT(answer["created"].get<int64_t>(), 1700000000);
  EXPECT_LE(largest_difference(image_of(answer["data"][0]["b64_json"]), drawn_directly("a red castle", 3)), batch_difference);
  EXPECT_NE(answer["data"][0]["b64_json"], answer["data"][1]["b64_json"]);
}

TEST(OpenAiApi, UrlsHoldThePicture) {
  Serving serving;
  const Json answer =
      serving
          .post("/v1/images/generations",
                {{"prompt", "a"}, {"size", "64x64"}, {"steps", 1}, {"response_format", "url"}, {"output_format", "jpeg"}, {"output_compression", 50}})
          .json();
  EXPECT_THAT(answer["data"][0]["url"].get<std::string>(), HasSubstr("data:image/jpeg;base64,"));
}

TEST(OpenAiApi, StreamsPartialImages) {
  Serving serving;
  serving.wait_until(serving.submit(tiny())["id"], "done");  // previews are learnt from pictures
  const Reply reply = serving.post("/v1/images/generations",
                                   {{"prompt", "a red castle"}, {"size", "256x256"}, {"steps", 40}, {"stream", true}, {"partial_images", 2}});
  EXPECT_EQ(reply.headers.at("content-type"), "text/event-stream");
  EXPECT_THAT(reply.body, HasSubstr("event: image_generation.partial_image\n"));
  EXPECT_THAT(reply.body, HasSubstr("event: image_generation.completed\n"));
  EXPECT_THAT(reply.body, HasSubstr("\"partial_image_index\":0"));
  const size_t last = reply.body.rfind("data: ");
  const Json completed = Json::parse(reply.body.substr(last + 6), nullptr, false);
  EXPECT_EQ(image_of(completed["b64_json"]).width, 256);
}

TEST(OpenAiApi, ListsModelsAndRefuses) {
  Serving serving;
  EXPECT_EQ(serving.get("/v1/models").json()["data"][0]["id"], "built-in");
  EXPECT_EQ(serving.get("/v1/models/built-in").status, 200);
  EXPECT_EQ(serving.get("/v1/models/other").status, 404);
  const Reply no_form = serving.post("/v1/images/edits", tiny({{"image", "data:,"}}));
  EXPECT_EQ(no_form.status, 415);
  EXPECT_EQ(no_form.json()["error"]["code"], "unsupported_media_type");
  EXPECT_THAT(no_form.body, HasSubstr("expected multipart/form-data"));
  EXPECT_EQ(serving.post("/v1/images/variations", Json::object()).status, 501);
  EXPECT_EQ(serving.post("/v1/images/generations", {{"prompt", "a"}, {"model", "sdxl"}}).status, 404);
  for (const Json& wrong : {Json{{"size", "64"}}, Json{{"size", "64x64x64"}}, Json{{"response_format", "path"}}, Json{{"output_format", "tiff"}},
                            Json{{"n", 2}, {"stream", true}}, Json{{"partial_images", 11}}}) {
    const Reply reply = serving.post("/v1/images/generations", tiny(wrong));
    EXPECT_EQ(reply.status, 400) << wrong;
    EXPECT_EQ(reply.json()["error"]["type"], "invalid_request_error");
  }
}

TEST(A1111Api, DrawsPictures) {
  Serving serving(in_float32());
  const Json answer = serving
                          .post("/sdapi/v1/txt2img", {{"prompt", "a (red:1.3) castle"},
                                                      {"seed", 3},
                                                      {"steps", 2},
                                                      {"width", 64},
                                                      {"height", 64},
                                                      {"cfg_scale", 6},
                                                      {"sampler_name", "Euler a"},
                                                      {"n_iter", 2},
                                                      {"restore_faces", false},
                                                      {"styles", Json::array()},
                                                      {"alwayson_scripts", Json::object()},
                                                      {"save_images", false}})
                          .json();
  ASSERT_EQ(answer["images"].size(), 2u) << answer.dump().substr(0, 300);
  const Image expected = drawn_directly("a (red:1.3) castle", 3, "euler_ancestral", PromptSyntax::a1111, 6);
  EXPECT_LE(largest_difference(image_of(answer["images"][0]), expected), batch_difference);
  const Json info = Json::parse(answer["info"].get<std::string>());
  EXPECT_EQ(info["all_seeds"], Json({3, 4}));
  EXPECT_THAT(info["infotexts"][0].get<std::string>(), HasSubstr("Sampler: Euler a"));
}

TEST(A1111Api, ProgressAndInterrupt) {
  Serving serving;
  EXPECT_EQ(serving.get("/sdapi/v1/progress").json()["progress"], 0.0);
  HttpClient client(serving.port());
  const std::string body = Json{{"prompt", "a"}, {"steps", 150}, {"width", 512}, {"height", 512}}.dump();
  client.send("POST /sdapi/v1/txt2img HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  Json progress = Json::object();
  for (int i = 0; i < 3000 && progress.value("progress", 0.0) == 0; ++i, std::this_thread::sleep_for(std::chrono::milliseconds(10)))
    progress = serving.get("/sdapi/v1/progress").json();
  EXPECT_GT(progress["progress"].get<double>(), 0);
  EXPECT_EQ(progress["state"]["sampling_steps"], 150);
  EXPECT_EQ(serving.post("/sdapi/v1/interrupt", Json::object()).status, 200);
  const Reply reply = client.reply();
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(reply.json()["images"].empty());
}

TEST(A1111Api, SamplersAndScheduleTypesGoByTheirNames) {
  Serving serving;
  auto infotext_of = [&](Json fields) {
    fields.update({{"prompt", "a castle"}, {"steps", 2}, {"width", 64}, {"height", 64}, {"s_noise", 1.0}, {"eta", 0}});
    const Json answer = serving.post("/sdapi/v1/txt2img", fields).json();
    return answer.contains("info") ? Json::parse(answer["info"].get<std::string>())["infotexts"][0].get<std::string>() : answer.dump();
  };
  EXPECT_THAT(infotext_of({{"sampler_name", "DPM++ 2M Karras"}}), ::testing::HasSubstr("Sampler: DPM++ 2M, Schedule type: Karras, "));
  EXPECT_THAT(infotext_of({{"sampler_name", "dpm++ 2m"}, {"scheduler", "SGM Uniform"}}), ::testing::HasSubstr("Schedule type: SGM Uniform, "));
  EXPECT_THAT(infotext_of({{"sampler_name", "Euler a"}, {"scheduler", "Automatic"}}), ::testing::HasSubstr("Sampler: Euler a, CFG"));
  EXPECT_THAT(infotext_of({{"sampler_name", "Euler"}}), ::testing::Not(::testing::HasSubstr("Eta")));
}

TEST(A1111Api, Lists) {
  Serving serving;
  const Json samplers = serving.get("/sdapi/v1/samplers").json();
  EXPECT_TRUE(std::ranges::any_of(samplers, [](const Json& s) { return s["name"] == "DPM++ 2M"; }));
  EXPECT_EQ(serving.get("/sdapi/v1/sd-models").json()[0]["title"], "built-in");
  for (const char* name : {"schedulers", "loras", "memory", "options"})
    EXPECT_EQ(serving.get(std::string("/sdapi/v1/") + name).status, 200) << name;
}

TEST(A1111Api, ListsUpscalers) {
  Serving serving;
  auto first = [&](const std::string& name) { return serving.get("/sdapi/v1/" + name).json()[0]["name"]; };
  EXPECT_EQ(first("upscalers"), "Lanczos");
  EXPECT_EQ(first("latent-upscale-modes"), "Latent");
}

TEST(A1111Api, OptionsChooseTheModel) {
  Serving serving;
  Json options = serving.get("/sdapi/v1/options").json();
  EXPECT_EQ(options["sd_model_checkpoint"], "built-in");
  EXPECT_EQ(serving.post("/sdapi/v1/options", options).status, 200);  // as clients send them back
  options["sd_model_checkpoint"] = "other";
  EXPECT_EQ(serving.post("/sdapi/v1/options", options).status, 404);
  EXPECT_EQ(serving.post("/sdapi/v1/options", {{"samples_format", "jpg"}}).status, 400);
}

TEST(A1111Api, RefusesWhatItWouldDrawOtherwise) {
  Serving serving;
  for (const Json& wrong : {Json{{"hr_upscaler", "ESRGAN_4x"}, {"enable_hr", true}}, Json{{"hr_prompt", "other"}, {"enable_hr", true}}, Json{{"styles", {"x"}}}, Json{{"script_name", "x"}},
                            Json{{"alwayson_scripts", {{"controlnet", {{"args", {1}}}}}}}}) {
    const Reply reply = serving.post("/sdapi/v1/txt2img", tiny(wrong));
    EXPECT_EQ(reply.status, 501) << wrong;
    EXPECT_THAT(reply.json()["detail"].get<std::string>(), HasSubstr(wrong.size() == 1 ? wrong.begin().key() : std::next(wrong.begin()).key()));
  }
  EXPECT_EQ(serving.post("/sdapi/v1/txt2img", tiny({{"prompt", "<lora:absent:1> a"}})).status, 404);
  EXPECT_EQ(serving.post("/sdapi/v1/txt2img", tiny({{"prompt", "<lora:absent:x> a"}})).status, 400);
  EXPECT_EQ(serving.post("/sdapi/v1/txt2img", tiny({{"sampler_name", "Fast"}})).status, 400);
}

TEST(A1111Api, PngInfo) {
  Serving serving;
  const Json drawn = serving.post("/sdapi/v1/txt2img", tiny()).json();
  for (const char* prefix : {"", "data:image/png;base64,"}) {
    const Json info = serving.post("/sdapi/v1/png-info", {{"image", prefix + drawn["images"][0].get<std::string>()}}).json();
    EXPECT_EQ(info["parameters"]["Prompt"], "a red castle");
    EXPECT_EQ(info["parameters"]["Seed"], "3");
  }
  EXPECT_EQ(serving.post("/sdapi/v1/png-info", {{"image", "!"}}).status, 400);
}

TEST(InferenceProtocol, DrawsPictures) {
  Serving serving(in_float32());
  EXPECT_EQ(serving.get("/v2/health/live").status, 200);
  EXPECT_EQ(serving.get("/v2/health/ready").status, 200);
  EXPECT_EQ(serving.get("/v2/models/built-in/ready").status, 200);
  EXPECT_EQ(serving.get("/v2/models/built-in").json()["inputs"][0]["name"], "prompt");
  const Json prompts = {{"name", "prompt"}, {"datatype", "BYTES"}, {"shape", {2}}, {"data", {"a red castle", "a tree"}}};
  const Json seeds = {{"name", "seed"}, {"datatype", "UINT64"}, {"shape", {2}}, {"data", {3, 9}}};
  const Json parameters = {{"steps", 2}, {"width", 64}, {"height", 64}};
  const Reply reply = serving.post("/v2/models/built-in/infer", {{"id", "7"}, {"inputs", {prompts, seeds}}, {"parameters", parameters}});
  ASSERT_EQ(reply.status, 200) << reply.body.substr(0, 300);
  const Json answer = reply.json();
  EXPECT_EQ(answer["id"], "7");
  EXPECT_EQ(answer["outputs"][1]["data"], Json({3, 9}));
  EXPECT_LE(largest_difference(image_of(answer["outputs"][0]["data"][1]), drawn_directly("a tree", 9)), batch_difference);
}

TEST(InferenceProtocol, RefusesOtherTensors) {
  Serving serving;
  const Json prompt = {{"name", "prompt"}, {"datatype", "BYTES"}, {"shape", {1}}, {"data", {"a"}}};
  auto changed = [&](const char* key, const Json& value) {
    Json other = prompt;
    other[key] = value;
    return Json{{"inputs", {other}}};
  };
  for (const Json& body : {changed("name", "image"), changed("datatype", "FP32"), changed("shape", {2}), changed("shape", {1, 1}),
                           changed("data", {1}), changed("data", "a"), Json{{"inputs", Json::array()}}, Json{{"inputs", 3}}, Json::object()}) {
    const Reply reply = serving.post("/v2/models/built-in/infer", body);
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_FALSE(reply.json()["error"].get<std::string>().empty());
  }
  EXPECT_EQ(serving.post("/v2/models/other/infer", {{"inputs", {prompt}}}).status, 404);
}

TEST(Page, IsServedWithItsPolicy) {
  Serving serving;
  const Reply page = serving.get("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.headers.at("content-type"), HasSubstr("text/html"));
  EXPECT_THAT(page.headers.at("content-security-policy"), HasSubstr("default-src 'self'"));
  EXPECT_THAT(page.body, HasSubstr("<script type=\"module\" src=\"/main.js\">"));
  for (const char* name : {"/main.js", "/api.js", "/style.css", "/icon.svg"}) EXPECT_EQ(serving.get(name).status, 200) << name;
  EXPECT_EQ(serving.get("/", "If-None-Match: " + page.headers.at("etag") + "\r\n").status, 304);
}

// The description names every route, and nothing else. Files of the page are not described.
TEST(OpenApi, DescribesEveryRoute) {
  server::App app({});
  std::set<std::string> there, described;
  Json description;
  const server::Router router = server::all_routes(app);
  for (const server::Route& route : router.all()) {
    const bool api = route.pattern.find('.') == std::string::npos && route.pattern != "/";
    if (api) there.insert(route.method + " " + route.pattern);
    if (route.pattern == "/openapi.json") description = Json::parse(std::get<server::HttpResponse>(route.handler({})).body);
  }
  for (const auto& [path, operations] : description["paths"].items()) {
    std::string pattern = std::regex_replace(path, std::regex("\\{[a-z]+\\}"), "{}");
    for (const auto& [method, operation] : operations.items())
      if (method != "parameters") described.insert((method == "get" ? "GET " : method == "post" ? "POST " : "DELETE ") + pattern);
  }
  EXPECT_EQ(there, described);
}

// A job's fields are those that the description has: others are slips.
TEST(OpenApi, DescribesEveryFieldOfAJob) {
  Serving serving;
  std::set<std::string> described, known;
  const Json description = serving.get("/openapi.json").json();
  for (const auto& [name, field] : description["components"]["schemas"]["Draw"]["properties"].items()) described.insert(name);
  const std::string message = serving.post("/api/jobs", tiny({{"what_is_not_there", 1}})).json()["error"]["message"];
  const std::regex word("[a-z_]+");
  const size_t list = message.find("there are: ");
  ASSERT_NE(list, message.npos) << message;
  for (std::sregex_iterator found(message.begin() + ptrdiff_t(list) + 11, message.end(), word), end; found != end; ++found) known.insert(found->str());
  EXPECT_EQ(known, described);
}

}  // namespace
}  // namespace hayate::testing
