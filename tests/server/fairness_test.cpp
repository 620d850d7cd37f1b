// Between clients: nobody asks too often, and nobody's requests wait for all of another's.
#include "core/scratch_folder.h"
#include "server/rate_limit.h"
#include "server/serving.h"

namespace hayate::testing {
namespace {

using server::Clock;
using server::RateLimit;
using std::chrono::milliseconds;

// Seconds to wait, 0 where the request may pass.
int wait_of(RateLimit& limit, const std::string& client, Clock::time_point now) {
  try {
    limit.take(client, now);
    return 0;
  } catch (const server::HttpError& error) {
    EXPECT_EQ(error.status, 429);
    return std::stoi(error.headers.at(0).second);
  }
}

TEST(RateLimit, LetsBurstsPassAndThenSoManyASecond) {
  RateLimit limit(5);
  const Clock::time_point start = Clock::now();
  int passed = 0;
  for (int i = 0; i < 100; ++i) passed += wait_of(limit, "a", start) == 0;
  EXPECT_EQ(passed, 10);
  EXPECT_EQ(wait_of(limit, "a", start), 1);
  EXPECT_EQ(wait_of(limit, "b", start), 0);
  for (int i = 0; i < 1000; ++i) passed += wait_of(limit, "a", start + milliseconds(10 * i)) == 0;
  EXPECT_NEAR(passed, 10 + 5 * 10, 1);
  EXPECT_EQ(wait_of(limit, "a", start + std::chrono::hours(1)), 0);
}

TEST(RateLimit, SlowRatesAndNone) {
  RateLimit slow(0.1), none(0);
  const Clock::time_point start = Clock::now();
  EXPECT_EQ(wait_of(slow, "a", start), 0);
  EXPECT_EQ(wait_of(slow, "a", start), 10);
  EXPECT_EQ(wait_of(slow, "a", start + std::chrono::seconds(11)), 0);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(wait_of(none, "a", start), 0);
}

TEST(RateLimit, ForgetsWhoIsQuiet) {
  RateLimit limit(5);
  const Clock::time_point start = Clock::now();
  for (int i = 0; i < 1000; ++i) limit.take(std::to_string(i), start);
  EXPECT_EQ(limit.clients(), 1000u);
  limit.take("a", start + milliseconds(300));
  limit.forget_quiet(start + milliseconds(300));
  EXPECT_EQ(limit.clients(), 1u);
}

constexpr const char* keys = "first-key-0123456\nsecond-key-012345\n";
constexpr const char* first = "Authorization: Bearer first-key-0123456\r\n";
constexpr const char* second = "Authorization: Bearer second-key-012345\r\n";

TEST(Fairness, ClientsThatAskTooOftenAreTold) {
  ScratchFolder folder;
  ServeOptions options;
  options.key_file = folder.write("keys", keys);
  options.rate = 5;
  Serving serving(options);
  Reply last;
  for (int i = 0; i < 100 && last.status != 429; ++i) last = serving.get("/api/choices", first);
  EXPECT_EQ(last.status, 429);
  EXPECT_EQ(last.headers.at("retry-after"), "1");
  EXPECT_EQ(last.json()["error"]["code"], "rate_limit");
  EXPECT_EQ(serving.get("/api/choices", second).status, 200);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(serving.get("/health").status, 200);  // whoever keeps it running may look
}

TEST(Fairness, ALateClientDoesNotWaitForAllOfAnother) {
  ScratchFolder folder;
  ServeOptions options;
  options.key_file = folder.write("keys", keys);
  options.queue_of_a_client = 4;
  Serving serving(options);
  auto submit = [&](const char* who, int width) { return serving.post("/api/jobs", endless({{"width", width}}), who); };
  auto status = [&](const Json& job) { return serving.get("/api/jobs/" + job["id"].get<std::string>(), second).json(); };
  const Json drawn = submit(first, 512).json();
  for (int i = 0; i < 6000 && status(drawn)["status"] != "drawing"; ++i) std::this_thread::sleep_for(milliseconds(10));
  std::vector<Json> waiting;
  for (int i = 0; i < 4; ++i) waiting.push_back(submit(first, 448 + 8 * i).json());
  EXPECT_EQ(submit(first, 400).status, 429);  // its own line is full
  const Json late = submit(second, 384).json();
  EXPECT_LE(status(late)["position"].get<int>(), 2) << late;
  EXPECT_EQ(status(waiting[3])["position"], 5);
}

}  // namespace
}  // namespace hayate::testing
