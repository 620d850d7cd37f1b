// The service around the APIs: health, metrics, keys, connections, shutting down.
#include <fmt/format.h>

#include "core/expect_error.h"
#include "core/scratch_folder.h"
#include "server/serving.h"

namespace hayate::testing {
namespace {

using ::testing::HasSubstr;

TEST(Service, HealthVersionAndMetrics) {
  Serving serving;
  EXPECT_EQ(serving.get("/health").json()["status"], "ok");
  EXPECT_EQ(serving.get("/version").json()["version"], version());
  serving.wait_until(serving.submit(tiny())["id"], "done");
  const Reply metrics = serving.get("/metrics");
  EXPECT_EQ(metrics.headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  for (const char* line : {"hayate_jobs_total{api=\"jobs\",outcome=\"done\"} 1\n", "hayate_pictures_total 1\n", "hayate_job_seconds_count 1\n",
                           "hayate_http_requests_total{route=\"/health\",code=\"200\"} 1\n", "hayate_stage_seconds_bucket{stage=\"denoise\",le="})
    EXPECT_THAT(metrics.body, HasSubstr(line));
}

TEST(Service, KeepsConnectionsAndAnswersInOrder) {
  Serving serving;
  HttpClient client(serving.port());
  client.send(
      "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /version HTTP/1.1\r\nHost: localhost\r\n\r\nHEAD /health HTTP/1.1\r\nHost: "
      "localhost\r\n\r\n");
  EXPECT_THAT(client.reply().body, HasSubstr("status"));
  EXPECT_THAT(client.reply().body, HasSubstr("version"));
  EXPECT_EQ(client.reply(/*head=*/true).status, 200);
  EXPECT_EQ(client.ask("GET", "/nothing").status, 404);
  EXPECT_EQ(client.ask("GET", "/health").status, 200);
}

TEST(Service, AnswersExpectContinue) {
  Serving serving;
  HttpClient client(serving.port());
  const std::string body = tiny().dump();
  client.send("POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
  EXPECT_THAT(client.line().value_or(""), HasSubstr("100 Continue"));
  client.line();
  client.send(body);
  EXPECT_EQ(client.reply().status, 202);
}

TEST(Service, AsksForTheKey) {
  ScratchFolder folder;
  ServeOptions options;
  options.key_file = folder.write("keys", "0123456789abcdef\n");
  Serving serving(options);
  EXPECT_EQ(serving.get("/health").status, 200);
  for (const char* target : {"/metrics", "/api/choices", "/api/jobs/1"}) EXPECT_EQ(serving.get(target).status, 401) << target;
  EXPECT_EQ(serving.post("/api/jobs", tiny(), "Authorization: Bearer 0123456789abcdee\r\n").status, 401);
  EXPECT_EQ(serving.post("/api/jobs", tiny(), "Authorization: Bearer 0123456789abcdef\r\n").status, 202);
}

TEST(Service, RefusesPagesOfOtherSites) {
  Serving serving;
  EXPECT_EQ(serving.post("/api/jobs", tiny(), "Origin: http://evil.example\r\n").status, 403);
  HttpClient rebound(serving.port());
  rebound.send("GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  EXPECT_EQ(rebound.reply().status, 421);
}

TEST(Service, AllowsOriginsThatItWasTold) {
  ServeOptions options;
  options.allow_origins = {"https://friend.example"};
  Serving serving(options);
  const Reply preflight = ask(serving.port(), "OPTIONS", "/api/jobs", "", "Origin: https://friend.example\r\n");
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.headers.at("access-control-allow-origin"), "https://friend.example");
  EXPECT_EQ(serving.get("/health", "Origin: https://friend.example\r\n").headers.at("access-control-allow-origin"), "https://friend.example");
  EXPECT_FALSE(serving.get("/health").headers.contains("access-control-allow-origin"));
}

TEST(Service, AnswersBesideManySlowConnections) {
  Serving serving;
  std::vector<HttpClient> slow;
  for (int i = 0; i < 200; ++i) {
    slow.emplace_back(serving.port());
    slow.back().send("GET /health HTTP/1.1\r\nHo");
  }
  EXPECT_EQ(serving.get("/health").status, 200);
  for (HttpClient& client : slow) client.send("st: localhost\r\n\r\n");
  for (HttpClient& client : slow) EXPECT_EQ(client.reply().status, 200);
}

TEST(Service, LosesPatience) {
  ServeOptions options;
  options.patience = 0.3;
  Serving serving(options);
  HttpClient silent(serving.port()), slow_body(serving.port());
  slow_body.send("POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{");
  EXPECT_TRUE(silent.closed_by_peer());
  EXPECT_TRUE(slow_body.closed_by_peer());
}

TEST(Service, HasRoomForSoMany) {
  ServeOptions options;
  options.connections = 2;
  Serving serving(options);
  HttpClient first(serving.port()), second(serving.port());
  EXPECT_EQ(first.ask("GET", "/health").status, 200);
  EXPECT_EQ(second.ask("GET", "/health").status, 200);
  HttpClient third(serving.port());
  EXPECT_EQ(third.reply().status, 503);
}

TEST(Service, FinishesWhatItHasAcceptedWhenStopped) {
  Serving serving;
  const Json job = serving.submit(tiny({{"steps", 20}}));
  HttpClient stream(serving.port()), idle(serving.port());
  EXPECT_EQ(idle.ask("GET", "/health").status, 200);
  stream.send("GET " + job["events"].get<std::string>() + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(stream.line().value_or(""), HasSubstr("200"));
  std::thread stopping([&] { EXPECT_EQ(serving.server().stop(), 0u); });
  bool done = false;
  for (std::optional<std::string> line; (line = stream.line());) done |= *line == "event: done";
  EXPECT_TRUE(done);
  EXPECT_TRUE(idle.closed_by_peer());
  stopping.join();
  EXPECT_THROW(HttpClient(serving.port()), std::runtime_error);
}

TEST(Service, GivesUpAfterTheDrainTime) {
  ServeOptions options;
  options.drain = 0.2;
  Serving serving(options);
  const Json job = serving.submit(endless());
  HttpClient stream(serving.port());
  stream.send("GET " + job["events"].get<std::string>() + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  stream.line();
  EXPECT_EQ(serving.server().stop(), 1u);
  bool failed = false;
  for (std::optional<std::string> line; (line = stream.line());) failed |= *line == "event: failed";
  EXPECT_TRUE(failed);
}

TEST(Service, FailsEarlyAndSaysWhy) {
  ServeOptions options;
  options.port = 0;
  auto refuses = [&](ErrorKind kind, std::initializer_list<const char*> mentions, auto change) {
    ServeOptions wrong = options;
    change(wrong);
    expect_error(kind, mentions, [&] { Server server(wrong); });
  };
  refuses(ErrorKind::usage, {"0.0.0.0", "keys"}, [](ServeOptions& o) { o.host = "0.0.0.0"; });
  refuses(ErrorKind::usage, {"not an address"}, [](ServeOptions& o) { o.host = "no.such.name", o.no_key = true; });
  refuses(ErrorKind::not_found, {"/no/model"}, [](ServeOptions& o) { o.models = {"/no/model"}; });
  refuses(ErrorKind::usage, {"two models", "built-in"}, [](ServeOptions& o) { o.models = {"", ""}; });
  refuses(ErrorKind::not_found, {"/no/folder"}, [](ServeOptions& o) { o.lora_folder = "/no/folder"; });
  Server first(options);
  refuses(ErrorKind::io, {"cannot listen", "in use"}, [&](ServeOptions& o) { o.port = first.port(); });
}

}  // namespace
}  // namespace hayate::testing
