// Inpainting on a tiny random SDXL: what stays, what is refused. That what is drawn is what diffusers draws: parity_pictures_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>
#include <string>

#include "core/expect_error.h"
#include "hayate/hayate.h"
#include "pipeline/canvas.h"

namespace hayate {
namespace {

Pipeline& pipeline() {
  static Pipeline shared({.model = HAYATE_SOURCE_DIR "/tests/data/parity/tiny-sdxl"});
  return shared;
}

Image plain(int width, int height, uint8_t value) { return {width, height, std::vector<uint8_t>(size_t(width) * size_t(height) * 3, value)}; }

Image noise(int width, int height) {
  std::mt19937 random{5};
  Image image = plain(width, height, 0);
  for (uint8_t& v : image.rgb) v = uint8_t(random());
  return image;
}

// White from (left, top) to before (right, bottom).
Image rectangle(int width, int height, int left, int top, int right, int bottom) {
  Image image = plain(width, height, 0);
  for (int y = top; y < bottom; ++y)
    for (int x = left * 3; x < right * 3; ++x) image.rgb[size_t(y * width * 3 + x)] = 255;
  return image;
}

Request request(const Image& picture, const Image& mask) {
  Request r;
  r.pictures = {{.prompt = "a castle", .seed = 3}};
  r.steps = 2;
  r.init_image = picture;
  r.mask = mask;
  r.strength = 1;
  return r;
}

// Of the bytes where the mask is `value`, how many differ.
int differing(const Image& a, const Image& b, const Image& mask, uint8_t value) {
  int count = 0;
  for (size_t i = 0; i < mask.rgb.size(); ++i) count += mask.rgb[i] == value && a.rgb[i] != b.rgb[i];
  return count;
}

TEST(Inpainting, WhatIsBlackStaysToTheByte) {
  const Image picture = noise(48, 64), mask = rectangle(48, 64, 13, 20, 40, 50);
  const Image drawn = pipeline().generate(request(picture, mask)).images[0];
  EXPECT_EQ(differing(drawn, picture, mask, 0), 0);
  EXPECT_GT(differing(drawn, picture, mask, 255), 1000);
}

TEST(Inpainting, AMaskOfAnotherSizeIsStretched) {
  const Image picture = noise(48, 64);
  const Request r = request(picture, rectangle(48, 64, 16, 16, 32, 48));
  Request half = r;
  half.mask = rectangle(24, 32, 8, 8, 16, 24);
  const Image a = pipeline().generate(r).images[0], b = pipeline().generate(half).images[0];
  EXPECT_EQ(differing(a, picture, rectangle(48, 64, 14, 14, 34, 50), 0), 0);
  EXPECT_EQ(differing(b, picture, rectangle(48, 64, 14, 14, 34, 50), 0), 0);
  EXPECT_EQ(differing(a, b, rectangle(48, 64, 18, 18, 30, 46), 255), 0);
}

TEST(Inpainting, BlurBlendsAtTheEdge) {
  Request r = request(plain(48, 64, 200), rectangle(48, 64, 0, 0, 24, 64));
  r.mask_blur = 4;
  const Canvas canvas(r, 48, 64, 8);
  const Image result = canvas.finished(plain(48, 64, 0));
  const uint8_t* row = &result.rgb[30 * 48 * 3];
  EXPECT_EQ(row[0], 0);
  EXPECT_NEAR(row[23 * 3], 100, 20);
  EXPECT_GT(row[27 * 3], row[20 * 3]);
  EXPECT_EQ(row[47 * 3], 200);
}

TEST(Inpainting, OnlyAnAreaIsDrawnInAPictureThatKeepsItsSize) {
  const Image picture = noise(150, 90), mask = rectangle(150, 90, 100, 30, 120, 50);
  Request r = request(picture, mask);
  r.mask_area = 6;
  r.width = r.height = 64;
  const std::array<int, 2> size = pipeline().picture_size(r);
  EXPECT_EQ(size, (std::array{150, 90}));
  const Image drawn = pipeline().generate(r).images[0];
  ASSERT_EQ(drawn.width, 150);
  ASSERT_EQ(drawn.height, 90);
  EXPECT_EQ(differing(drawn, picture, mask, 0), 0);
  EXPECT_GT(differing(drawn, picture, mask, 255), 500);
}

TEST(Inpainting, AnAreaHasTheShapeOfWhatIsDrawn) {
  const Image mask = rectangle(100, 60, 40, 20, 50, 30);
  auto area = [&](int padding, int width, int height) {
    const Area a = area_around(mask, padding, width, height);
    return std::array{a.left, a.top, a.width, a.height};
  };
  EXPECT_EQ(area(0, 64, 64), (std::array{40, 20, 10, 10}));
  EXPECT_EQ(area(5, 64, 64), (std::array{35, 15, 20, 20}));
  EXPECT_EQ(area(0, 128, 64), (std::array{35, 20, 20, 10}));
  EXPECT_EQ(area(0, 64, 512), (std::array{40, 0, 10, 60}));      // as tall as there is room
  EXPECT_EQ(area(25, 64, 64), (std::array{15, 0, 60, 60}));      // cut above, and so moved
  EXPECT_EQ(area(INT32_MAX, 64, 64), (std::array{0, 0, 100, 60}));
  EXPECT_EQ(area_around(plain(9, 9, 0), 5, 64, 64).width, 0);
}

TEST(Inpainting, WhatCannotBeIsRefused) {
  const Image picture = noise(48, 64), mask = rectangle(48, 64, 8, 8, 24, 24);
  auto refused = [&](const char* mention, auto change) {
    Request r = request(picture, mask);
    change(r);
    expect_error(ErrorKind::usage, {mention}, [&] { pipeline().generate(r); });
  };
  refused("no white", [](Request& r) { r.mask = plain(48, 64, 0); });
  refused("no white", [](Request& r) { r.mask = plain(48, 64, 127); });
  refused("no white", [](Request& r) { r.mask = plain(48, 64, 0), r.mask_area = 10; });
  refused("needs a picture", [](Request& r) { r.init_image.reset(); });
  refused("need a mask", [](Request& r) { r.mask.reset(), r.mask_area = 3; });
  refused("need a mask", [](Request& r) { r.mask.reset(), r.mask_blur = 3; });
  refused("need a mask", [](Request& r) { r.mask.reset(), r.mask_content = MaskContent::fill; });
  refused("mask_content 9", [](Request& r) { r.mask_content = MaskContent(9); });
  refused("mask_blur is", [](Request& r) { r.mask_blur = NAN; });
  refused("mask_area is -1", [](Request& r) { r.mask_area = -1; });
  refused("mask: 3 bytes", [](Request& r) { r.mask = Image{48, 64, {1, 2, 3}}; });
  refused("mask: 0 bytes", [](Request& r) { r.mask = Image{}; });
  refused("leaves no step", [](Request& r) { r.strength = 0; });
}

TEST(Inpainting, OfOtherContentNothingOfThePictureIsSeen) {
  const Image picture = noise(48, 64), mask = rectangle(48, 64, 13, 20, 40, 50);
  Image other = picture;
  for (size_t i = 0; i < mask.rgb.size(); ++i)
    if (mask.rgb[i]) other.rgb[i] = 9;
  auto drawn = [&](const Image& from, MaskContent content) {
    Request r = request(from, mask);
    r.strength = 0.5, r.mask_content = content;
    return pipeline().generate(r);
  };
  std::set<std::string> all;
  for (MaskContent content : {MaskContent::original, MaskContent::fill, MaskContent::noise, MaskContent::nothing}) {
    const Result result = drawn(picture, content);
    EXPECT_EQ(differing(result.images[0], picture, mask, 0), 0) << "what is black stays";
    all.emplace(result.images[0].rgb.begin(), result.images[0].rgb.end());
    const bool original = content == MaskContent::original;
    EXPECT_EQ(result.images[0].rgb == drawn(other, content).images[0].rgb, !original) << int(content);
    EXPECT_EQ(result.infotext[0].find("Masked content") == std::string::npos, original) << result.infotext[0];
  }
  EXPECT_EQ(all.size(), 4u);
}

// The latent that denoising starts from, where the schedule begins with half of the steps.
TEST(Inpainting, NoiseAndNothingAreLatents) {
  const Image picture = plain(48, 64, 200), mask = rectangle(48, 64, 0, 0, 24, 64);
  auto deviation = [&](MaskContent content) {
    Request r = request(picture, mask);
    r.steps = 20, r.strength = 0.05, r.mask_content = content;  // one step, of little noise
    const std::vector<float> latents = pipeline().generate(r).latents;
    double squares = 0;
    int count = 0;
    for (size_t i = 0; i < latents.size(); ++i)
      if (i / 4 % 6 < 3) squares += double(latents[i]) * double(latents[i]), ++count;
    return std::sqrt(squares / count);
  };
  const double nothing = deviation(MaskContent::nothing), noise = deviation(MaskContent::noise);
  EXPECT_LT(nothing, 0.5);
  EXPECT_NEAR(noise, 1, 0.35);
}

TEST(Inpainting, AWhiteMaskDrawsEverything) {
  const Image picture = noise(48, 64), mask = plain(48, 64, 255);
  Request r = request(picture, mask), other = request(plain(48, 64, 9), mask);
  EXPECT_EQ(pipeline().generate(r).images[0].rgb, pipeline().generate(other).images[0].rgb) << "at strength 1 nothing of the picture is seen";
  r.strength = other.strength = 0.5;
  EXPECT_NE(pipeline().generate(r).images[0].rgb, pipeline().generate(other).images[0].rgb);
}

}  // namespace
}  // namespace hayate
