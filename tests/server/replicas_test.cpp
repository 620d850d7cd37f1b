// Several devices in one server, each with pipelines of its own. The CPU twice stands for two GPUs.
#include "core/expect_error.h"
#include "server/pictures.h"
#include "server/serving.h"

namespace hayate::testing {
namespace {

ServeOptions two_devices() {
  ServeOptions options = in_float32();
  options.replicas = {"cpu"};
  return options;
}

TEST(Replicas, DrawAtTheSameTime) {
  Serving serving(two_devices());
  // Of two sizes, so that they are no batch.
  const std::string first = serving.submit(endless())["id"], second = serving.submit(endless({{"width", 448}}))["id"], third = serving.submit(endless({{"width", 384}}))["id"];
  serving.wait_until(first, "drawing");
  EXPECT_EQ(serving.wait_until(second, "drawing")["status"], "drawing");
  EXPECT_EQ(serving.status(first)["status"], "drawing");
  EXPECT_EQ(serving.status(third)["status"], "queued");
  ask(serving.port(), "DELETE", "/api/jobs/" + first);
  EXPECT_EQ(serving.wait_until(third, "drawing")["status"], "drawing");
}

TEST(Replicas, DrawTheSamePictures) {
  Serving serving(two_devices());
  std::vector<std::string> ids;
  for (int i = 0; i < 6; ++i) ids.push_back(serving.submit(tiny({{"width", 64 + 8 * i}}))["id"]);
  for (int i = 0; i < 6; ++i) {
    const Json done = serving.wait_until(ids[size_t(i)], "done");
    ASSERT_EQ(done["status"], "done");
    const Reply picture = serving.get(done["pictures"][0]["url"]);
    Options options = in_float32().pipeline;
    const Request alone{.pictures = {{.prompt = "a red castle", .seed = 3}}, .width = 64 + 8 * i, .height = 64, .steps = 2};
    EXPECT_LE(largest_difference(decode_image(picture.body, "answer").image, Pipeline(options).generate(alone).images[0]), batch_difference);
  }
}

TEST(Replicas, OfADeviceThatIsNotThereEndTheStart) {
  ServeOptions options = two_devices();
  options.replicas = {"abacus"};
  expect_error(ErrorKind::usage, {"abacus"}, [&] { Server server(options); });
}

}  // namespace
}  // namespace hayate::testing
