// Our own API from submission to picture.
#include <fmt/format.h>

#include "server/pictures.h"
#include "server/serving.h"

namespace hayate::testing {
namespace {

using ::testing::HasSubstr;

struct Event {
  std::string name;
  Json data;
};

// The next event of a stream whose header has been read; empty at the end.
Event next_event(HttpClient& stream) {
  Event event;
  for (std::optional<std::string> line = stream.line(); line; line = stream.line()) {
    if (line->starts_with("event: ")) event.name = line->substr(7);
    if (line->starts_with("data: ")) event.data = Json::parse(line->substr(6), nullptr, false);
    if (line->empty() && !event.name.empty()) return event;
  }
  return {};
}

void begin_stream(HttpClient& client, const std::string& target) {
  client.send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_THAT(client.line().value_or("nothing"), HasSubstr("200"));
  while (!client.line().value_or("").empty()) {}
}

TEST(JobsApi, DrawsWhatGenerateDraws) {
  Serving serving;
  const Json job = serving.submit(tiny({{"n", 2}}));
  ASSERT_EQ(job.value("status", ""), "queued") << job;
  const Json done = serving.wait_until(job["id"], "done");
  ASSERT_EQ(done.value("status", ""), "done") << done;
  EXPECT_EQ(done["pictures"].size(), 2u);
  EXPECT_EQ(done["pictures"][1]["seed"], 4);
  EXPECT_EQ(done["progress"], 1.0);
  EXPECT_EQ(done["rung"], "projections");

  Pipeline pipeline({});
  const Result expected = pipeline.generate(
      {.pictures = {{.prompt = "a red castle", .seed = 3}, {.prompt = "a red castle", .seed = 4}}, .width = 64, .height = 64, .steps = 2});
  for (size_t i = 0; i < 2; ++i) {
    const Reply picture = serving.get(done["pictures"][i]["url"]);
    EXPECT_EQ(picture.status, 200);
    EXPECT_EQ(picture.headers.at("content-type"), "image/png");
    const ImageFile file = decode_image(picture.body, "answer");
    EXPECT_EQ(file.image.rgb, expected.images[i].rgb);
    EXPECT_EQ(file.infotext, expected.infotext[i]);
  }
}

// Whatever needs no weights to be seen is refused before it waits.
TEST(JobsApi, WhatDoesNotGoTogetherIsRefusedAtOnce) {
  Serving serving;
  const std::vector<std::pair<const char*, Json>> wrong = {{"eta", {{"scheduler", "euler"}, {"eta", 0.5}}},
                                                           {"eta", {{"eta", 0.5}}},
                                                           {"s_churn", {{"scheduler", "ddim"}, {"s_churn", 1}}},
                                                           {"s_tmin", {{"scheduler", "euler"}, {"s_tmin", 5}, {"s_tmax", 1}}},
                                                           {"s_noise", {{"scheduler", "euler"}, {"s_noise", 0.9}}},
                                                           {"spacing", {{"scheduler", "ddim"}, {"spacing", "karras"}}},
                                                           {"spacing", {{"scheduler", "lcm"}, {"spacing", "trailing"}}},
                                                           {"clip_skip", {{"clip_skip", 10}}},
                                                           {"mask_blur", {{"mask_blur", 1}}}};
  for (const auto& [field, fields] : wrong) {
    const Reply reply = serving.post("/api/jobs", tiny(fields));
    EXPECT_EQ(reply.status, 400) << fields << reply.body;
    EXPECT_THAT(reply.body, HasSubstr(field)) << fields;
  }
  EXPECT_EQ(serving.post("/sdapi/v1/txt2img", tiny({{"sampler_name", "DDIM"}, {"scheduler", "Karras"}})).status, 400);
  EXPECT_EQ(serving.post("/api/jobs", tiny({{"scheduler", "ddim"}, {"eta", 0.5}})).status, 202);
}

TEST(JobsApi, FormatsAndRandomSeeds) {
  Serving serving;
  Json body = tiny({{"format", "webp"}});
  body.erase("seed");
  const Json first = serving.wait_until(serving.submit(body)["id"], "done"), second = serving.wait_until(serving.submit(body)["id"], "done");
  EXPECT_NE(first["pictures"][0]["seed"], second["pictures"][0]["seed"]);
  EXPECT_EQ(decode_image(serving.get(first["pictures"][0]["url"]).body, "answer").format, "WebP");
}

TEST(JobsApi, EventsTellStepsAndPreviews) {
  Serving serving;
  serving.wait_until(serving.submit(tiny())["id"], "done");  // previews are learnt from pictures
  const Json job = serving.submit(tiny({{"steps", 40}, {"width", 256}, {"height", 256}}));
  HttpClient stream(serving.port());
  begin_stream(stream, job["events"].get<std::string>() + "?previews=1");
  int steps = 0, previews = 0;
  double progress = 0;
  Event event;
  while ((event = next_event(stream)).name != "done" && !event.name.empty()) {
    if (event.name == "preview") {
      ++previews;
      EXPECT_THAT(event.data["image"].get<std::string>(), HasSubstr("data:image/jpeg;base64,/9j/"));
    }
    if (event.name == "progress" && event.data["status"] == "drawing") {
      ++steps;
      EXPECT_GE(event.data["progress"].get<double>(), progress);
      progress = event.data["progress"];
    }
  }
  EXPECT_EQ(event.name, "done");
  EXPECT_GT(steps, 5);
  EXPECT_GT(previews, 0);
  EXPECT_TRUE(stream.closed_by_peer());
  HttpClient again(serving.port());  // of a job that has ended
  begin_stream(again, job["events"]);
  EXPECT_EQ(next_event(again).name, "done");
}

TEST(JobsApi, CancelsWhatIsDrawnAndWhatWaits) {
  Serving serving;
  const Json drawing = serving.submit(endless()), waiting = serving.submit(endless({{"width", 448}}));
  serving.wait_until(drawing["id"], "drawing");
  EXPECT_EQ(serving.status(waiting["id"])["position"], 1);
  for (const Json& job : {waiting, drawing}) {
    const Reply reply = ask(serving.port(), "DELETE", "/api/jobs/" + job["id"].get<std::string>());
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.json()["status"], "cancelled");
  }
  const Json after = serving.wait_until(serving.submit(tiny())["id"], "done");  // the device is free
  EXPECT_EQ(after["status"], "done");
}

TEST(JobsApi, AWatcherThatLeavesCancelsWhereItSaidSo) {
  Serving serving;
  const Json job = serving.submit(endless()), other = serving.submit(endless({{"width", 448}}));
  {
    HttpClient stream(serving.port()), innocent(serving.port());
    begin_stream(innocent, other["events"]);
    begin_stream(stream, job["events"].get<std::string>() + "?cancel=1");
    next_event(stream);
  }
  EXPECT_EQ(serving.wait_until(job["id"], "cancelled")["status"], "cancelled");
  EXPECT_EQ(serving.wait_until(other["id"], "drawing")["status"], "drawing");
}

TEST(JobsApi, BatchesRequestsAndEachPictureIsItsOwn) {
  Serving serving(in_float32());
  const Json blocker = serving.submit(endless());
  serving.wait_until(blocker["id"], "drawing");
  std::vector<Json> jobs;
  for (int i = 0; i < 3; ++i) jobs.push_back(serving.submit(tiny({{"seed", 10 + i}, {"prompt", fmt::format("{} trees by night", i + 1)}})));
  ask(serving.port(), "DELETE", "/api/jobs/" + blocker["id"].get<std::string>());
  Pipeline pipeline(in_float32().pipeline);
  for (int i = 0; i < 3; ++i) {
    const Json done = serving.wait_until(jobs[size_t(i)]["id"], "done");
    const Result alone = pipeline.generate(
        {.pictures = {{.prompt = fmt::format("{} trees by night", i + 1), .seed = uint64_t(10 + i)}}, .width = 64, .height = 64, .steps = 2});
    const Image image = decode_image(serving.get(done["pictures"][0]["url"]).body, "answer").image;
    EXPECT_LE(largest_difference(image, alone.images[0]), batch_difference) << i;
  }
  EXPECT_THAT(serving.get("/metrics").body, HasSubstr("hayate_batch_pictures_bucket{le=\"2\"} "));
  EXPECT_THAT(serving.get("/metrics").body, ::testing::Not(HasSubstr("hayate_batch_pictures_bucket{le=\"4\"} 4")));
}

TEST(JobsApi, FullQueueSaysWhenToComeBack) {
  ServeOptions options;
  options.queue = 2;
  Serving serving(options);
  serving.wait_until(serving.submit(tiny())["id"], "done");  // the pace is known
  serving.wait_until(serving.submit(endless())["id"], "drawing");
  serving.submit(endless());
  serving.submit(endless());
  const Reply reply = serving.post("/api/jobs", endless());
  EXPECT_EQ(reply.status, 429);
  EXPECT_GE(std::stoi(reply.headers.at("retry-after")), 1);
  EXPECT_EQ(reply.json()["error"]["code"], "queue_full");
}

TEST(JobsApi, DeadlinesPass) {
  Serving serving;
  const Json drawn = serving.submit(endless({{"deadline", 0.5}})), waits = serving.submit(endless({{"width", 448}, {"deadline", 0.2}}));
  for (const Json& job : {drawn, waits}) {
    const Json failed = serving.wait_until(job["id"], "failed");
    EXPECT_EQ(failed["error"]["code"], "deadline") << failed;
  }
}

TEST(JobsApi, UnknownJobsAndPictures) {
  Serving serving;
  const Json job = serving.wait_until(serving.submit(tiny())["id"], "done");
  EXPECT_EQ(serving.get("/api/jobs/0").status, 404);
  EXPECT_EQ(serving.get("/api/jobs/0/events").status, 404);
  EXPECT_EQ(serving.get("/api/jobs/" + job["id"].get<std::string>() + "/pictures/1").status, 404);
  EXPECT_EQ(serving.get("/api/jobs/" + job["id"].get<std::string>() + "/pictures/-1").status, 404);
}

TEST(JobsApi, SettingsOfADroppedPicture) {
  Serving serving;
  const Json job = serving.wait_until(serving.submit(tiny())["id"], "done");
  const std::string png = serving.get(job["pictures"][0]["url"]).body;
  HttpClient client(serving.port());
  client.send("POST /api/settings-of-picture HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(png.size()) + "\r\n\r\n" + png);
  const Json settings = client.reply().json();
  EXPECT_EQ(settings["prompt"], "a red castle");
  EXPECT_EQ(settings["settings"]["Seed"], "3");
  EXPECT_EQ(serving.post("/api/settings-of-picture", "no picture").status, 400);
}

TEST(JobsApi, WhatIsWrongWithARequestIsNamed) {
  Serving serving;
  for (const auto& [wrong, mention] : std::vector<std::pair<Json, std::string>>{{{{"width", 100}}, "width"},
                                                                                {{{"width", 4096}, {"height", 4096}}, "pixels"},
                                                                                {{{"steps", 151}}, "steps"},
                                                                                {{{"rung", "fastest"}}, "rung"},
                                                                                {{{"scheduler", "none"}}, "scheduler"},
                                                                                {{{"format", "gif"}}, "format"},
                                                                                {{{"n", 17}}, "n"},
                                                                                {{{"prompt", std::string(20000, 'a')}}, "prompt"},
                                                                                {{{"prompt", std::string("a\0b", 3)}}, "zero byte"},
                                                                                {{{"loras", 3}}, "loras"},
                                                                                {{{"guidance_scales", 3}}, "did you mean \"guidance_scale\""}}) {
    const Reply reply = serving.post("/api/jobs", tiny(wrong));
    EXPECT_EQ(reply.status, 400) << wrong;
    EXPECT_THAT(reply.json()["error"]["message"].get<std::string>(), HasSubstr(mention));
  }
  EXPECT_EQ(serving.post("/api/jobs", tiny({{"model", "../../etc/passwd"}})).status, 404);
  EXPECT_EQ(serving.post("/api/jobs", tiny({{"loras", {{{"name", "../x"}}}}})).status, 404);
  EXPECT_EQ(serving.post("/api/jobs", Json::object()).status, 400);
}

}  // namespace
}  // namespace hayate::testing
