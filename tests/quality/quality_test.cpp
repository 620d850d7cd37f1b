// Metrics against scikit-image, the tally against a hand count, reading of attributes with a network whose answer is known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/scratch_folder.h"
#include "hayate/quality.h"
#include "quality/attribute_reader.h"
#include "quality/attribute_score.h"
#include "quality/quality_list.h"
#include "weights/safetensors_writer.h"

namespace hayate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Image draw(int width, int height, const std::function<int(int, int, int)>& value) {
  Image image{.width = width, .height = height};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c) image.rgb.push_back(uint8_t(std::min(255, value(x, y, c))));
  return image;
}

int rough(int x, int y, int c) { return (x * x * 3 + y * 7 + c * 50 + x * y) % 256; }
int smooth(int x, int y, int c) { return x * 4 + y * 3 + c * 10; }
int error(int x, int y, int c) { return (x * 5 + y * 3 + c) % 17; }

// scikit-image: structural_similarity(a, b, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
TEST(Metrics, EqualScikitImage) {
  Image a = draw(40, 24, rough), b = draw(40, 24, [](int x, int y, int c) { return rough(x, y, c) + error(x, y, c); });
  EXPECT_NEAR(ssim(a, b), 0.9959941065602674, 1e-9);
  EXPECT_NEAR(psnr(a, b), 28.827345816893015, 1e-9);
  Image c = draw(40, 24, smooth), d = draw(40, 24, [](int x, int y, int k) { return smooth(x, y, k) + error(x, y, k); });
  EXPECT_NEAR(ssim(c, d), 0.8743019278901629, 1e-9);
  EXPECT_NEAR(psnr(c, d), 28.69415845518293, 1e-9);
}

TEST(Metrics, OfEqualPictures) {
  Image a = draw(16, 16, rough);
  EXPECT_DOUBLE_EQ(ssim(a, a), 1.0);
  EXPECT_EQ(psnr(a, a), INFINITY);
}

TEST(Metrics, RefuseOtherSizes) {
  EXPECT_THAT([] { psnr(draw(16, 16, rough), draw(16, 17, rough)); }, ThrowsMessage<Error>(HasSubstr("16x16 and 16x17")));
  EXPECT_THAT([] { ssim(draw(16, 10, rough), draw(16, 10, rough)); }, ThrowsMessage<Error>(HasSubstr("at least 11x11")));
}

TEST(AttributeTally, WilsonWhereAnswersAreIndependent) {
  AttributeTally tally;
  for (int i = 0; i < 100; ++i) tally.add_picture(i < 90, 1);
  AttributeScore s = tally.score();
  EXPECT_EQ(s.asked, 100);
  EXPECT_DOUBLE_EQ(s.score, 0.9);
  // Wilson's interval of 90 out of 100, but for the (n / (n - 1)) of the sample variance
  EXPECT_NEAR(s.low, 0.8256, 5e-4);
  EXPECT_NEAR(s.high, 0.9448, 5e-4);
}

TEST(AttributeTally, PicturesThatFailAsAWholeCountLess) {
  AttributeTally together, apart;
  for (int i = 0; i < 100; ++i) {
    together.add_picture(i < 80 ? 5 : 0, 5);
    apart.add_picture(4, 5);
  }
  EXPECT_DOUBLE_EQ(together.score().score, 0.8);
  EXPECT_DOUBLE_EQ(apart.score().score, 0.8);
  EXPECT_GT(together.score().high - together.score().low, 2 * (apart.score().high - apart.score().low));
}

TEST(AttributeTally, ExtremesKeepAnInterval) {
  AttributeTally right, nothing;
  for (int i = 0; i < 20; ++i) right.add_picture(3, 3);
  EXPECT_EQ(right.score().score, 1.0);
  EXPECT_LT(right.score().low, 0.99);
  EXPECT_DOUBLE_EQ(right.score().high, 1.0);
  nothing.add_picture(0, 0);
  EXPECT_EQ(nothing.score().asked, 0);
  EXPECT_EQ(nothing.score().high, 1.0);
}

const std::string kTwoGroups = R"("groups": [{"name": "hue", "classes": ["red", "green", "blue"]}, {"name": "light", "classes": ["dark", "bright"]}])";

// Hue is the largest channel, light the sign of the sum: one convolution over the whole picture says both.
void write_channel_classifier(const ScratchFolder& folder, const std::string& layers) {
  folder.write("attributes.json", R"({"input": 8, "layers": [)" + layers + "], " + kTwoGroups + "}");
  std::vector<float> weight(5 * 3 * 8 * 8), bias(5, 0.0f);
  for (int out = 0; out < 5; ++out)
    for (int in = 0; in < 3; ++in)
      for (int i = 0; i < 64; ++i) {
        float sign = out < 3 ? float(out == in) : (out == 3 ? -1.0f : 1.0f);
        weight[size_t((out * 3 + in) * 64 + i)] = sign;
      }
  SafetensorsWriter writer(folder / "attributes.safetensors", {{"head.weight", Dtype::f32, {5, 3, 8, 8}}, {"head.bias", Dtype::f32, {5}}});
  writer.write("head.weight", std::as_bytes(std::span(weight)));
  writer.write("head.bias", std::as_bytes(std::span(bias)));
  writer.commit();
}

const std::string kHead = R"({"type": "conv", "name": "head", "out": 5, "kernel": 8, "stride": 1, "padding": 0})";

TEST(AttributeReader, ReadsWhatTheNetworkSays) {
  ScratchFolder folder;
  write_channel_classifier(folder, kHead);
  AttributeReader reader(folder / "");
  auto picture = [](int strongest, int base) {
    return draw(8, 8, [=](int x, int y, int c) { return base + (x * 3 + y * 5) % 7 + (c == strongest ? 20 : 0); });
  };
  for (int c = 0; c < 3; ++c) {
    EXPECT_EQ(reader.read(picture(c, 20)), (std::vector<size_t>{size_t(c), 0}));
    EXPECT_EQ(reader.read(picture(c, 200)), (std::vector<size_t>{size_t(c), 1}));
  }
  EXPECT_THAT([&] { reader.read(draw(16, 8, rough)); }, ThrowsMessage<Error>(AllOf(HasSubstr("16x8"), HasSubstr("8x8"))));
}

TEST(AttributeReader, RefusesBrokenFiles) {
  struct Case { std::string layers, says; };
  for (const Case& c : std::vector<Case>{
           {"", "list of 1 to"},
           {R"({"type": "pool", "name": "a"})", "pool"},
           {R"({"type": "conv", "name": "head", "out": 6, "kernel": 8, "stride": 1, "padding": 0})", "(1, 1, 1, 6)"},
           {R"({"type": "conv", "name": "head", "out": 5, "kernel": 8, "stride": 0, "padding": 0})", "stride"},
           {R"({"type": "conv", "name": "head", "out": 5, "kernel": 8, "stride": 1, "padding": 0, "activation": "tanh"})", "tanh"},
           {R"({"type": "conv", "name": "other", "out": 5, "kernel": 8, "stride": 1, "padding": 0})", "other.weight is missing"},
       }) {
    ScratchFolder folder;
    write_channel_classifier(folder, c.layers);
    EXPECT_THAT([&] { AttributeReader(folder / "").read(draw(8, 8, rough)); }, ThrowsMessage<Error>(HasSubstr(c.says))) << c.layers;
  }
}

TEST(QualityList, ChecksNamesAgainstTheClassifier) {
  const std::vector<AttributeGroup> groups = {{"hue", {"red", "green"}}, {"light", {"dark", "bright"}}};
  ScratchFolder folder;
  auto read = [&](const std::string& attributes) {
    return read_quality_list(
        folder.write("prompts.json", R"({"prompts": [{"prompt": "p", "seed": 3, "width": 64, "height": 32, "attributes": {)" + attributes + "}}]}"), groups);
  };
  std::vector<QualityPrompt> list = read(R"("light": "bright", "hue": "red")");
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].asked, (std::map<size_t, size_t>{{0, 0}, {1, 1}}));
  EXPECT_EQ(list[0].width, 64);
  EXPECT_THAT([&] { read(R"("hue": "pink")"); }, ThrowsMessage<Error>(AllOf(HasSubstr("pink"), HasSubstr("red, green"))));
  EXPECT_THAT([&] { read(R"("size": "big")"); }, ThrowsMessage<Error>(HasSubstr("no group \"size\"")));
  EXPECT_THAT([&] { read_quality_list(folder.write("p.json", "{\"prompts\": []}"), groups); }, ThrowsMessage<Error>(HasSubstr("list of 1 to")));
}

TEST(MeasureQuality, CountsAndCompares) {
  ScratchFolder folder;
  write_channel_classifier(folder, kHead);
  std::string prompts;
  for (int i = 0; i < 3; ++i)
    prompts += fmt::format(R"({}{{"prompt": "a castle {}", "seed": {}, "width": 8, "height": 8, "attributes": {{"light": "bright"}}}})", i ? ", " : "", i, i);
  folder.write("prompts.json", R"({"prompts": [)" + prompts + "]}");
  QualityRequest request{.prompts = 3, .batch = 2, .list = folder / "", .reference_rung = "fp32"};
  request.settings.steps = 2;
  std::vector<int> seen;
  request.on_picture = [&](int done, int) { return seen.push_back(done), true; };
  Options options{.model = HAYATE_SOURCE_DIR "/tests/data/parity/tiny-sdxl", .rung = "fp32"};
  EXPECT_THAT([&] { measure_quality(options, request); }, ThrowsMessage<Error>(HasSubstr("too small for SSIM")));
  request.reference_rung.clear();
  QualityReport report = measure_quality(options, request);
  EXPECT_EQ(report.pictures, 3);
  EXPECT_EQ(seen, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(report.attributes.asked, 3);
  EXPECT_GT(report.seconds_per_picture, 0);
  ASSERT_EQ(report.groups.size(), 1u);
  EXPECT_EQ(report.groups[0].first, "light");

  // The same counted by hand from pictures of a pipeline of its own.
  Pipeline pipeline(options);
  AttributeReader reader(folder / "");
  int bright = 0;
  for (int i = 0; i < 3; ++i) {
    Request r{.width = 8, .height = 8, .steps = 2};
    r.pictures = {{.prompt = fmt::format("a castle {}", i), .seed = uint64_t(i)}};
    bright += reader.read(pipeline.generate(r).images[0])[1] == 1;
  }
  EXPECT_NEAR(report.attributes.score, bright / 3.0, 1e-12);
  request.prompts = 4;
  EXPECT_THAT([&] { measure_quality(options, request); }, ThrowsMessage<Error>(HasSubstr("expected 1 to 3")));
}

}  // namespace
}  // namespace hayate
