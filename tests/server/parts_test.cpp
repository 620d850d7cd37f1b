// The small parts of the server, one by one.
#include <gmock/gmock.h>

#include <cmath>
#include <random>

#include "core/expect_error.h"
#include "core/scratch_folder.h"
#include "server/access.h"
#include "server/base64.h"
#include "server/metrics.h"
#include "server/preview.h"
#include "server/respond.h"
#include "server/router.h"
#include "server/target.h"

namespace hayate::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

int status_thrown(const std::function<void()>& action) {
  try {
    action();
  } catch (const HttpError& error) { return error.status; }
  return 0;
}

TEST(Base64, KnownTextsAndBack) {
  for (auto [plain, coded] : {std::pair("", ""), std::pair("f", "Zg=="), std::pair("fo", "Zm8="), std::pair("foobar", "Zm9vYmFy")}) {
    EXPECT_EQ(to_base64(std::string_view(plain)), coded);
    EXPECT_EQ(from_base64(coded), plain);
  }
  for (const char* broken : {"Z", "Zm9*", "Zm9v Zm9v"}) EXPECT_EQ(from_base64(broken), std::nullopt) << broken;
}

TEST(Target, TakesPathAndQueryApart) {
  const std::optional<Target> target = parse_target("/a%20b/c?x=1&y=%26z&flag");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/a b/c");
  EXPECT_EQ(target->query, (std::map<std::string, std::string>{{"x", "1"}, {"y", "&z"}, {"flag", ""}}));
  for (const char* broken : {"", "a", "*", "http://a/", "/%", "/%1", "/%zz", "/%00", "/a?b=%0"}) EXPECT_FALSE(parse_target(broken)) << broken;
}
TEST(Router, FindsCapturesAndRefuses) {
  Router router;
  router.add({.method = "GET", .pattern = "/jobs/{}", .handler = {}});
  router.add({.method = "DELETE", .pattern = "/jobs/{}", .handler = {}});
  router.add({.method = "GET", .pattern = "/jobs/{}/pictures/{}", .handler = {}});
  HttpRequest request{.method = "GET", .path = "/jobs/7/pictures/0"};
  EXPECT_EQ(router.find(request).pattern, "/jobs/{}/pictures/{}");
  EXPECT_THAT(request.captured, ElementsAre("7", "0"));
  request = {.method = "HEAD", .path = "/jobs/7"};
  EXPECT_EQ(router.find(request).method, "GET");
  for (const char* path : {"/", "/jobs", "/jobs/", "/jobs/7/", "/jobs/7/8", "/jobs/7/pictures/"}) {
    request = {.method = "GET", .path = path};
    EXPECT_EQ(status_thrown([&] { router.find(request); }), 404) << path;
  }
  request = {.method = "PUT", .path = "/jobs/7"};
  EXPECT_EQ(status_thrown([&] { router.find(request); }), 405);
}

TEST(Metrics, TextFormat) {
  Metrics metrics;
  metrics.declare_counter("c_total", "Counts.");
  metrics.declare_histogram("h", "Observes.", {1, 2});
  metrics.declare_gauge("g", "Is asked.", [] { return 2.5; });
  metrics.count("c_total", {{"a", "x\"y\n"}}, 3);
  for (double value : {0.5, 1.0, 1.5, 9.0}) metrics.observe("h", value);
  EXPECT_EQ(metrics.text(),
            "# HELP c_total Counts.\n# TYPE c_total counter\nc_total{a=\"x\\\"y \"} 3\n"
            "# HELP g Is asked.\n# TYPE g gauge\ng 2.5\n"
            "# HELP h Observes.\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"2\"} 3\nh_bucket{le=\"+Inf\"} 4\nh_sum 12\nh_count 4\n");
}

TEST(Access, ComparesWholeKeys) {
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  for (const char* other : {"", "ab", "abd", "abcabc", "Abc"}) {
    EXPECT_FALSE(equal_in_constant_time(other, "abc")) << other;
    EXPECT_FALSE(equal_in_constant_time("abc", other)) << other;
  }
}

TEST(Access, KeysInEveryForm) {
  const Access access({"first-key-0123456", "second:key-01234"}, {}, {});
  auto status = [&](const std::string& name, const std::string& value, bool open = false) {
    HttpRequest request{.headers = {{"host", "anything"}, {name, value}}, .client = "1.2.3.4"};
    return status_thrown([&] { access.check(request, open); });
  };
  EXPECT_EQ(status("authorization", "Bearer first-key-0123456"), 0);
  EXPECT_EQ(status("authorization", "bearer second:key-01234"), 0);
  EXPECT_EQ(status("authorization", "Basic " + to_base64(std::string_view("user:first-key-0123456"))), 0);
  EXPECT_EQ(status("authorization", "Basic " + to_base64(std::string_view("second:key-01234"))), 0);
  EXPECT_EQ(status("x-api-key", "first-key-0123456"), 0);
  EXPECT_EQ(status("x-api-key", "", true), 0);
  for (const char* wrong : {"", "Bearer", "Bearer ", "Bearer first-key-012345", "Bearer first-key-01234567", "Basic !", "Basic", "first-key-0123456"})
    EXPECT_EQ(status("authorization", wrong), 401) << wrong;
}

TEST(Access, ForeignHostsAndOriginsWithoutAKey) {
  const Access access({}, {"studio.lan"}, {"https://friend.example"});
  auto status = [&](const std::string& host, const std::string& origin) {
    HttpRequest request{.headers = {{"host", host}, {"origin", origin}}};
    return status_thrown([&] { access.check(request, true); });
  };
  for (const char* host : {"localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080", "studio.lan:80"}) EXPECT_EQ(status(host, ""), 0) << host;
  for (const char* host : {"", "evil.example", "localhost.evil.example", "[::2]", "studio.lan.evil.example"})
    EXPECT_EQ(status(host, ""), 421) << host;
  EXPECT_EQ(status("localhost:8080", "http://localhost:8080"), 0);
  EXPECT_EQ(status("localhost:8080", "https://friend.example"), 0);
  for (const char* origin : {"http://evil.example", "null", "http://localhost:9090", "http://localhost"})
    EXPECT_EQ(status("localhost:8080", origin), 403) << origin;
}

TEST(Access, KeyFiles) {
  ScratchFolder folder;
  EXPECT_THAT(read_keys(folder.write("keys", "# mine\n0123456789abcdef\n\nfedcba9876543210\r\n")),
              ElementsAre("0123456789abcdef", "fedcba9876543210"));
  expect_error(ErrorKind::usage, {"no key"}, [&] { read_keys(folder.write("none", "# nothing\n")); });
  expect_error(ErrorKind::usage, {"at least 16"}, [&] { read_keys(folder.write("short", "abc\n")); });
  expect_error(ErrorKind::not_found, {"absent"}, [&] { read_keys(folder / "absent"); });
}

// A latent that pictures follow linearly is mapped as they do.
TEST(LatentPreview, LearnsALinearMap) {
  constexpr int w = 12, h = 8, side = 4;
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  const float map[4][3] = {{30, 10, -20}, {-15, 25, 5}, {8, -12, 22}, {3, 4, -9}};
  LatentPreview preview;
  EXPECT_FALSE(preview.ready());
  std::vector<float> latent(w * h * 4);
  Image image{.width = w * side, .height = h * side, .rgb = std::vector<uint8_t>(w * side * h * side * 3)};
  for (int round = 0; round < 3; ++round) {
    for (float& v : latent) v = normal(random);
    for (int y = 0; y < h * side; ++y)
      for (int x = 0; x < w * side; ++x)
        for (int c = 0; c < 3; ++c) {
          float value = 120;
          for (int i = 0; i < 4; ++i) value += map[i][c] * latent[size_t((y / side * w + x / side) * 4 + i)];
          image.rgb[size_t((y * w * side + x) * 3 + c)] = uint8_t(std::clamp(std::lround(value), 0L, 255L));
        }
    preview.learn(latent, image);
  }
  ASSERT_TRUE(preview.ready());
  const Image seen = preview.render(latent, w, h);
  ASSERT_EQ(seen.rgb.size(), size_t(w * h * 3));
  for (int p = 0; p < w * h; ++p)
    for (int c = 0; c < 3; ++c) {
      const int expected = image.rgb[size_t((p / w * side * w * side + p % w * side) * 3 + c)];
      EXPECT_LE(std::abs(int(seen.rgb[size_t(p * 3 + c)]) - expected), 4);
    }
}

// Two latents on the way from noise to a smooth one, as schedulers have them: x0 + sigma e, and a x0 + s e.
TEST(LatentPreview, ForeseesWhereStepsGo) {
  constexpr int w = 32, h = 24;
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  std::vector<float> smooth, noise;
  for (int y = 0; y < h; ++y)
    for (int x = 0; x < w; ++x)
      for (int c = 0; c < 4; ++c) smooth.push_back(std::sin(0.2f * float(x) + float(c)) * std::cos(0.15f * float(y))), noise.push_back(normal(random));
  auto mixed = [&](float scale, float sigma) {
    std::vector<float> latent(smooth.size());
    for (size_t i = 0; i < latent.size(); ++i) latent[i] = scale * smooth[i] + sigma * noise[i];
    return latent;
  };
  auto similarity = [&](const std::vector<float>& latent) {  // the cosine
    double product = 0, a = 0, b = 0;
    for (size_t i = 0; i < latent.size(); ++i) product += double(latent[i]) * smooth[i], a += double(latent[i]) * latent[i], b += double(smooth[i]) * smooth[i];
    return product / std::sqrt(a * b);
  };
  for (const auto& [before, now] : {std::pair(mixed(1, 14), mixed(1, 12)), std::pair(mixed(1, 1), mixed(1, 0.9f)), std::pair(mixed(0.1f, 0.995f), mixed(0.2f, 0.98f)), std::pair(mixed(0.07f, 0.9976f), mixed(0.1f, 0.995f))}) {
    EXPECT_LT(similarity(now), 0.7);
    EXPECT_GT(similarity(LatentPreview::foreseen(before, now, w, h)), 0.98);
  }
  EXPECT_EQ(LatentPreview::foreseen(smooth, smooth, w, h), smooth);  // a step that went nowhere
}

TEST(Respond, StatusOfErrors) {
  auto status = [](auto error) {
    try {
      throw error;
    } catch (...) { return current_error().status; }
  };
  EXPECT_EQ(status(Error(ErrorKind::usage, "x")), 400);
  EXPECT_EQ(status(Error(ErrorKind::out_of_memory, "x")), 400);
  EXPECT_EQ(status(Error(ErrorKind::internal, "x")), 500);
  EXPECT_EQ(status(HttpError{429, "x"}), 429);
  EXPECT_EQ(status(std::bad_alloc()), 503);
  const HttpResponse broken = error_response({400, "not \xff UTF-8", "c"}, ErrorShape::openai);
  EXPECT_THAT(broken.body, HasSubstr("invalid_request_error"));
}

}  // namespace
}  // namespace hayate::server
