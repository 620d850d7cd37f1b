// Drawing from a picture through each API, and pictures and forms that mean no good.
#include <fstream>

#include "core/file_reader.h"
#include "server/base64.h"
#include "server/form.h"
#include "server/forms.h"
#include "server/upload.h"

namespace hayate::testing {
namespace {

using server::to_base64;
using ::testing::HasSubstr;

const std::string folder = HAYATE_SOURCE_DIR "/tests/data/pictures/";

Image drawn_from(const Image& start, int width, int height) {
  Pipeline pipeline(in_float32().pipeline);
  return pipeline
      .generate(
          {.pictures = {{.prompt = "a red castle", .seed = 3}}, .width = width, .height = height, .steps = 4, .init_image = start, .strength = 0.5})
      .images[0];
}

TEST(FromPicture, EveryApiDrawsWhatGenerateDraws) {
  Serving serving(in_float32());
  const Image start = slope(120, 80), expected = drawn_from(start, 96, 64);
  const FormFields fields = asked("init_image", png_of(start), {{"width", "96"}, {"height", "64"}});
  const Json job = post_form(serving, "/api/jobs", fields).json(), done = serving.wait_until(job["id"], "done");
  ASSERT_EQ(done["status"], "done") << done << job;
  EXPECT_THAT(done["pictures"][0]["infotext"].get<std::string>(), HasSubstr("Denoising strength: 0.5"));
  EXPECT_LE(largest_difference(image_of(serving.get(done["pictures"][0]["url"]).body), expected), batch_difference);

  const Reply edit =
      post_form(serving, "/v1/images/edits", asked("image", png_of(start), {{"size", "96x64"}, {"model", "gpt-image-1"}, {"quality", "high"}}));
  ASSERT_EQ(edit.status, 200) << edit.body.substr(0, 300);
  EXPECT_LE(largest_difference(image_of_base64(edit.json()["data"][0]["b64_json"]), expected), batch_difference);

  const Json web_ui = {{"prompt", "a red castle"},
                       {"steps", 4},
                       {"seed", 3},
                       {"cfg_scale", 5},
                       {"denoising_strength", 0.5},
                       {"width", 96},
                       {"height", 64},
                       {"resize_mode", 0},
                       {"mask", nullptr},
                       {"mask_blur", 4},
                       {"init_images", {"data:image/png;base64," + to_base64(png_of(start))}}};
  const Reply img2img = serving.post("/sdapi/v1/img2img", web_ui);
  ASSERT_EQ(img2img.status, 200) << img2img.body.substr(0, 300);
  EXPECT_LE(largest_difference(image_of_base64(img2img.json()["images"][0]), expected), batch_difference);
  EXPECT_FALSE(img2img.json()["parameters"].contains("init_images"));
}

TEST(FromPicture, HasItsShapeWhereNoSizeIsSaid) {
  int64_t width = 0, height = 0;
  server::size_like(slope(300, 200), 256 * 256, width, height);
  EXPECT_EQ(width, 312);
  EXPECT_EQ(height, 208);
  server::size_like(slope(3, 2), 256 * 256, width, height);
  EXPECT_EQ(width, 312);
  Serving serving;
  const Json job = post_form(serving, "/api/jobs", asked("init_image", png_of(slope(300, 200)))).json();
  EXPECT_EQ(job["width"], 312) << job;
  EXPECT_EQ(job["height"], 208);
}

TEST(FromPicture, EditsAreStreamed) {
  Serving serving;
  const Reply reply = post_form(serving, "/v1/images/edits", asked("image[]", png_of(slope(64, 64)), {{"stream", "true"}, {"size", "64x64"}}));
  EXPECT_EQ(reply.headers.at("content-type"), "text/event-stream");
  EXPECT_THAT(reply.body, HasSubstr("event: image_edit.completed\n"));
}

// Requests that start from other pictures must not share a batch, whose start is one.
TEST(FromPicture, KeepsToItsOwnPicture) {
  Serving serving(in_float32());
  const Json blocker = serving.submit(endless());
  serving.wait_until(blocker["id"], "drawing");
  std::vector<Image> starts{slope(64, 64), slope(64, 64)};
  for (uint8_t& v : starts[1].rgb) v = uint8_t(255 - v);
  std::vector<Json> jobs;
  for (const Image& start : starts)
    jobs.push_back(post_form(serving, "/api/jobs", asked("init_image", png_of(start), {{"width", "64"}, {"height", "64"}})).json());
  ask(serving.port(), "DELETE", "/api/jobs/" + blocker["id"].get<std::string>());
  for (size_t i = 0; i < 2; ++i) {
    const Json done = serving.wait_until(jobs[i]["id"], "done");
    EXPECT_LE(largest_difference(image_of(serving.get(done["pictures"][0]["url"]).body), drawn_from(starts[i], 64, 64)),
              batch_difference);
  }
}

TEST(FromPicture, RefusesWhatItCannotStartFrom) {
  Serving serving;
  const std::string sound = png_of(slope(64, 64));
  const std::vector<std::pair<std::string, std::string>> files = {
      {"nothing", ""},
      {"text", "a picture, really"},
      {"cut short", sound.substr(0, sound.size() / 2)},
      {"a header only", sound.substr(0, 33)},
      {"100000 pixels a side", read_text_file(folder + "huge.png", 1 << 20)},
      {"CMYK", read_text_file(folder + "cmyk.jpg", 1 << 20)},
      {"animated", read_text_file(folder + "animated.webp", 1 << 20)},
      {"another type", "GIF89a\x01\x01" + std::string(100, '\0')},
      {"too wide a shape", png_of(slope(4000, 1))},
  };
  for (const auto& [what, file] : files) {
    for (const char* target : {"/api/jobs", "/v1/images/edits"}) {
      const Reply reply = post_form(serving, target, asked(target == std::string("/api/jobs") ? "init_image" : "image", file));
      EXPECT_EQ(reply.status, 400) << what << ": " << reply.body;
      EXPECT_GT(reply.body.size(), 20u);
    }
    const Reply reply = serving.post("/sdapi/v1/img2img", {{"prompt", "a"}, {"steps", 2}, {"init_images", {to_base64(file)}}});
    EXPECT_EQ(reply.status, 400) << what << ": " << reply.body;
  }
  for (const Json& wrong : {Json(), Json("text"), Json::array(), Json({1}), Json({"!"}), Json({to_base64(sound), to_base64(sound)})})
    EXPECT_EQ(serving.post("/sdapi/v1/img2img", {{"prompt", "a"}, {"init_images", wrong}}).status, 400) << wrong.dump().substr(0, 50);
  for (const Json& wrong : {Json{{"resize_mode", 3}}, Json{{"initial_noise_multiplier", 1.1}}}) {
    Json body = {{"prompt", "a"}, {"init_images", {to_base64(sound)}}};
    body.update(wrong);
    EXPECT_EQ(serving.post("/sdapi/v1/img2img", body).status, 501) << wrong.dump().substr(0, 50);
  }
  EXPECT_EQ(serving.get("/health").status, 200);
}

// Small files that claim to be large: what is decoded is bounded, and one at a time.
TEST(FromPicture, BombsTakeBoundedMemory) {
  Serving serving;
  const std::string bomb = png_of({.width = 6000, .height = 6000, .rgb = std::vector<uint8_t>(size_t(3) * 6000 * 6000, 200)});
  ASSERT_LT(bomb.size(), size_t{1} << 20);
  auto peak_kib = [] {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("VmHWM:")) return std::stoll(line.substr(6));
    return 0LL;
  };
  std::ofstream("/proc/self/clear_refs") << 5;  // begins the peak anew
  [[maybe_unused]] const long long before = peak_kib();
  std::vector<HttpClient> clients;
  const std::string body = form_of({{"prompt", "a"}, {"width", "64"}, {"height", "64"}, {"steps", "4"}, {"init_image", bomb, true}});
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back(serving.port());
    clients.back().send(std::string("POST /api/jobs HTTP/1.1\r\nHost: localhost\r\n") + form_type + "Content-Length: " + std::to_string(body.size()) +
                        "\r\n\r\n" + body);
  }
  for (HttpClient& client : clients) EXPECT_EQ(client.reply().status, 202);
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)  // which keep notes about memory beside it
  EXPECT_LT(peak_kib() - before, 400 << 10);  // one picture of 103 MiB, and libwebp's copy of 137 MiB while it is made smaller
#endif
}

TEST(FromPicture, LargeBodiesShareABound) {
  Serving serving;
  std::vector<HttpClient> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back(serving.port());
    clients.back().send(std::string("POST /api/jobs HTTP/1.1\r\nHost: localhost\r\n") + form_type + "Content-Length: 33000000\r\n\r\n--a b\r\n");
  }
  // What one more of five million bytes is told before it sends them.
  auto answer = [&] {
    HttpClient client(serving.port());
    client.send(std::string("POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n") + form_type +
                "Content-Length: 5000000\r\n\r\n");
    return client.line().value_or("");
  };
  auto comes = [&](const char* expected) {
    for (int i = 0; i < 100; ++i)
      if (answer().find(expected) != std::string::npos) return true;
    return false;
  };
  EXPECT_TRUE(comes("503"));
  EXPECT_EQ(post_form(serving, "/api/jobs", asked("init_image", png_of(slope(64, 64)))).status, 202);  // small ones go on
  clients.clear();
  EXPECT_TRUE(comes("100 Continue"));
}

server::HttpRequest form_request(const std::string& type, const std::string& body) { return {.headers = {{"content-type", type}}, .body = body}; }

TEST(Form, PartsAndFields) {
  const server::HttpRequest request = form_request(
      "Multipart/Form-Data; charset=utf-8; boundary=xy",
      "--xy\r\ncontent-disposition: form-data; name=\"a\\\"b\"\r\n\r\n12\r\n--xy\r\nContent-Type: image/png\r\nContent-Disposition: form-data; "
      "filename=\"; name=wrong\"; name=file\r\n\r\n\r\n--x\r\nz\r\n--xy\r\nContent-Disposition: form-data; name=prompt\r\n\r\n12\r\n--xy--");
  const std::vector<server::FormPart> parts = server::form_parts(request);
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].name, "a\"b");
  EXPECT_TRUE(parts[1].is_file);
  EXPECT_EQ(parts[1].name, "file");
  EXPECT_EQ(parts[1].content.substr(0, 5), "\r\n--x");
  EXPECT_EQ(server::form_fields(parts, {"prompt"}).all(), Json({{"a\"b", 12}, {"prompt", "12"}}));
}

TEST(Form, RefusesWhatIsNone) {
  const std::string type = "multipart/form-data; boundary=xy", part = "\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n";
  std::string many;
  for (int i = 0; i < 65; ++i) many += "--xy" + part;
  const std::vector<std::pair<std::string, std::string>> broken = {
      {"multipart/form-data", "--xy" + part + "--xy--"},
      {"multipart/form-data; boundary=", "--" + part + "----"},
      {"multipart/form-data; boundary=" + std::string(71, 'x'), ""},
      {type, ""},
      {type, "--xz" + part + "--xz--"},
      {type, "--xy" + part},
      {type, "--xy" + part + "--xy"},
      {type, "--xy\r\n\r\n1\r\n--xy--"},
      {type, "--xy\r\nContent-Disposition: form-data\r\n\r\n1\r\n--xy--"},
      {type, "--xy\r\nContent-Transfer-Encoding: base64" + part + "--xy--"},
      {type, "--xy" + part + "--xy" + part + "--xy--"},
      {type, "--xy\r\nContent-Disposition: form-data; name=a\r\n\r\n\xff\r\n--xy--"},
      {type, "--xy\r\nX: " + std::string(5000, 'x') + part + "--xy--"},
      {type, many + "--xy--"},
  };
  for (const auto& [header, body] : broken) {
    const server::HttpRequest request = form_request(header, body);
    EXPECT_THROW(server::form_fields(server::form_parts(request), {}), Error) << header << body.substr(0, 100);
  }
  for (const char* other : {"text/plain", "application/json", ""})
    EXPECT_THROW(server::form_parts(form_request(other, "--xy" + part + "--xy--")), server::HttpError) << other;
}

}  // namespace
}  // namespace hayate::testing
