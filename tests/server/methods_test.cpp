// Hires fix, seamless pictures, dynamic thresholding, embeddings and a tiny decoder through the APIs: the pictures of `hayate generate`.
#include <mutex>
#include <set>

#include "core/scratch_folder.h"
#include "server/a1111_fields.h"
#include "server/forms.h"

namespace hayate::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string data = HAYATE_SOURCE_DIR "/tests/data/", model = data + "parity/tiny-sdxl";

ServeOptions tiny_model() {
  ServeOptions options = in_float32();
  options.models = {model};
  return options;
}

struct Drawing {
  Image image{};
  std::string infotext{};
};

// By the library, with the fields of tiny().
Drawing drawn(Request request, Options options = tiny_model().pipeline) {
  options.model = model;
  request.pictures.resize(1);
  Picture& picture = request.pictures[0];
  if (picture.prompt.empty()) picture.prompt = "a red castle";
  picture.seed = 3;
  request.width = request.height = 64, request.steps = 2;
  Pipeline pipeline(options);
  const Result result = pipeline.generate(request);
  return {result.images[0], result.infotext[0]};
}

Drawing drawn_by_job(Serving& serving, const Json& more) {
  const Reply reply = serving.post("/api/jobs", tiny(more));
  const Json done = serving.wait_until(reply.json().value("id", ""), "done");
  if (done.value("status", "") != "done") return {{}, reply.body + done.dump()};
  return {image_of(serving.get(done["pictures"][0]["url"]).body), done["pictures"][0]["infotext"]};
}

Drawing drawn_by_web_ui(Serving& serving, const Json& more) {
  Json body = tiny({{"cfg_scale", 5}});
  body.update(more);
  const Reply reply = serving.post("/sdapi/v1/txt2img", body);
  if (reply.status != 200) return {{}, reply.body};
  return {image_of_base64(reply.json()["images"][0]), Json::parse(reply.json()["info"].get<std::string>())["infotexts"][0]};
}

void expect_same(const Drawing& found, const Drawing& expected) {
  EXPECT_EQ(found.infotext, expected.infotext);
  EXPECT_LE(largest_difference(found.image, expected.image), batch_difference);
}

TEST(Methods, HiresFix) {
  Serving serving(tiny_model());
  const Drawing job = drawn_by_job(serving, {{"hires", 1.5}, {"hires_upscaler", "lanczos"}, {"hires_strength", 0.5}, {"hires_steps", 4}});
  expect_same(job, drawn({.hires = Hires{.scale = 1.5, .upscaler = Upscaler::lanczos, .strength = 0.5, .steps = 4}}));
  EXPECT_EQ(job.image.width, 96);

  // Two steps are done, which at this strength are half of four; and two of three where the web UI's default is meant.
  const Json enabled = {{"enable_hr", true}, {"hr_scale", 1.5}, {"hr_upscaler", "Lanczos"}, {"denoising_strength", 0.5}, {"hr_second_pass_steps", 2}};
  Request expected{.prompt_syntax = PromptSyntax::a1111, .hires = Hires{.scale = 1.5, .upscaler = Upscaler::lanczos, .strength = 0.5, .steps = 4}};
  expect_same(drawn_by_web_ui(serving, enabled), drawn(expected));
  expected.hires = Hires{.scale = 2, .strength = 0.75, .steps = 3};
  expect_same(drawn_by_web_ui(serving, {{"enable_hr", true}, {"hr_prompt", "a red castle"}, {"hr_sampler_name", "Use same sampler"}, {"hr_checkpoint_name", nullptr}}), drawn(expected));
  for (const Json& size : {Json{{"hr_resize_x", 72}}, Json{{"hr_resize_y", 72}}, Json{{"hr_resize_x", 72}, {"hr_resize_y", 72}}}) {
    Json body = size;
    body["enable_hr"] = true;
    const Drawing resized = drawn_by_web_ui(serving, body);
    EXPECT_EQ(resized.image.width, 72) << resized.infotext;
    EXPECT_EQ(resized.image.height, 72);
  }
  EXPECT_EQ(serving.post("/sdapi/v1/txt2img", tiny({{"enable_hr", true}, {"hr_resize_x", 72}, {"hr_resize_y", 80}})).status, 501);
  EXPECT_EQ(drawn_by_web_ui(serving, {{"hr_scale", 2}}).image.width, 64) << "which is not asked for without enable_hr";
}

// A size that rounds down must not cost eight pixels.
TEST(Methods, HiresSizesAreExact) {
  server::App app(tiny_model());
  for (int64_t width = 64; width <= 1024; width += 8)
    for (int64_t wanted = width; wanted <= 2048; wanted += 104) {
      server::HttpRequest request{.method = "POST", .body = Json{{"width", width}, {"height", 64}, {"enable_hr", true}, {"hr_resize_x", wanted}}.dump()};
      const server::DrawFields fields = server::a1111_fields(server::json_body(request), app.catalog);
      ASSERT_EQ(int(int(width) * fields.hires->scale) / 8 * 8, wanted) << width;
    }
}

TEST(Methods, ResultsOfHiresFixAreBounded) {
  ServeOptions options = tiny_model();
  options.pixels = 128 * 128;
  Serving serving(options);
  EXPECT_EQ(serving.post("/api/jobs", tiny({{"hires", 2}})).status, 202);
  const Reply refused = serving.post("/api/jobs", tiny({{"hires", 2.2}}));
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("136x136"));
  EXPECT_THAT(serving.post("/api/jobs", tiny({{"hires_strength", 0.5}})).body, HasSubstr("hires_strength"));
}

TEST(Methods, PreviewsOfASecondPassHaveItsShape) {
  Serving serving(tiny_model());
  serving.wait_until(serving.submit(tiny())["id"], "done");  // previews are learnt from pictures
  const Json job = serving.submit(tiny({{"steps", 20}, {"hires", 2}, {"width", 256}, {"height", 128}}));
  const std::string events = serving.get(job["events"].get<std::string>() + "?previews=1").body;
  std::set<int> widths;
  for (size_t at = 0; (at = events.find("base64,", at)) != events.npos; ++at) {
    const std::string text = events.substr(at + 7, events.find('"', at) - at - 7);
    const Image preview = image_of_base64(text);
    EXPECT_EQ(preview.width, 2 * preview.height);
    widths.insert(preview.width);
  }
  EXPECT_EQ(widths, (std::set<int>{32, 64}));
}

TEST(Methods, SeamlessPictures) {
  Serving serving(tiny_model());
  expect_same(drawn_by_job(serving, {{"seamless", "x"}}), drawn({.seamless_x = true}));
  expect_same(drawn_by_web_ui(serving, {{"tiling", true}}), drawn({.prompt_syntax = PromptSyntax::a1111, .seamless_x = true, .seamless_y = true}));
}

TEST(Methods, DynamicThresholding) {
  Serving serving(tiny_model());
  expect_same(drawn_by_job(serving, {{"guidance_scale", 20}, {"mimic_guidance", 4}}), drawn({.pictures = {{.guidance = 20, .mimic_guidance = 4}}}));
}

TEST(Methods, EmbeddingsAreWords) {
  ScratchFolder folder;
  const std::string ember = data + "parity/embeddings/ember.safetensors";
  folder.write("ember.safetensors", slurp(ember));
  folder.write("broken.safetensors", "no such thing");
  ServeOptions options = tiny_model();
  options.models = {model, ""};
  options.embedding_folder = folder / "";
  std::vector<std::string> lines;
  std::mutex mutex;
  options.log = options.pipeline.warn = [&](const std::string& line) {
    std::lock_guard lock(mutex);
    lines.push_back(line);
  };
  Serving serving(options);
  {
    std::lock_guard lock(mutex);
    EXPECT_THAT(lines, ::testing::Contains(HasSubstr("broken.safetensors")));
  }
  const Json models = serving.get("/api/choices").json()["models"];
  EXPECT_EQ(models[0]["embeddings"], Json({"ember"}));
  EXPECT_EQ(models[1]["embeddings"], Json::array()) << "it fits no text encoder of this one";
  EXPECT_TRUE(serving.get("/sdapi/v1/embeddings").json()["loaded"].contains("ember"));
  Options with = options.pipeline;
  with.embeddings = {ember};
  const Drawing job = drawn_by_job(serving, {{"prompt", "ember, a castle"}});
  expect_same(job, drawn({.pictures = {{.prompt = "ember, a castle"}}}, with));
  EXPECT_THAT(job.infotext, HasSubstr("Embeddings: ember"));
  EXPECT_THAT(drawn_by_job(serving, Json::object()).infotext, Not(HasSubstr("Embeddings")));

  options.embedding_folder = folder / "absent";
  EXPECT_THAT([&] { Server server(options); }, ::testing::ThrowsMessage<Error>(HasSubstr("no such folder of embeddings")));
}

TEST(Methods, ATinyDecoder) {
  ServeOptions options = in_float32();
  options.pipeline.tiny_decoder = data + "tiny_decoder/tiny";
  Serving serving(options);
  EXPECT_THAT(drawn_by_job(serving, Json::object()).infotext, HasSubstr("VAE Decoder: tiny"));
  options.pipeline.tiny_decoder = data + "absent";
  EXPECT_THROW(Server server(options), Error);
}

}  // namespace
}  // namespace hayate::testing
