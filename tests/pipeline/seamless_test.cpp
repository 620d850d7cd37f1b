// Seamless pictures have no edge: what is moved in the latent moves in the picture. Numbers of diffusers: parity_pictures_test.cpp.
#include <gtest/gtest.h>

#include <random>

#include "core/expect_error.h"
#include "hayate/hayate.h"

namespace hayate {
namespace {

const std::string kModel = HAYATE_SOURCE_DIR "/tests/data/parity/tiny-sdxl";
constexpr int kWidth = 64, kHeight = 96;

// (h, w, channels) moved to the right and down, around the edges.
template <class T>
std::vector<T> moved(const std::vector<T>& map, int h, int w, int right, int down) {
  const size_t channels = map.size() / size_t(h * w);
  std::vector<T> result(map.size());
  for (int y = 0; y < h; ++y)
    for (int x = 0; x < w; ++x)
      for (size_t c = 0; c < channels; ++c)
        result[size_t((y + down) % h * w + (x + right) % w) * channels + c] = map[size_t(y * w + x) * channels + c];
  return result;
}

// How far the picture of moved noise is from the moved picture, the most of all bytes.
int difference(Pipeline& pipeline, bool x, bool y, int right, int down) {
  Request r;
  r.pictures = {{.prompt = "a castle", .seed = 3}};
  r.width = kWidth, r.height = kHeight, r.steps = 3, r.seamless_x = x, r.seamless_y = y;
  std::mt19937 random{8};
  std::normal_distribution<float> normal;
  r.latents.resize(size_t(kWidth / 8 * kHeight / 8 * 4));
  for (float& v : r.latents) v = normal(random);
  const Image still = pipeline.generate(r).images[0];
  r.latents = moved(r.latents, kHeight / 8, kWidth / 8, right, down);
  const Image found = pipeline.generate(r).images[0];
  const std::vector<uint8_t> expected = moved(still.rgb, kHeight, kWidth, right * 8, down * 8);
  int most = 0;
  for (size_t i = 0; i < expected.size(); ++i) most = std::max(most, std::abs(int(found.rgb[i]) - int(expected[i])));
  return most;
}

TEST(Seamless, WhatIsMovedInTheLatentMovesInThePicture) {
  Pipeline pipeline({.model = kModel, .rung = "fp32"});
  // By what the UNet's coarsest level has for a place, or else its steps of two do not move along.
  EXPECT_LE(difference(pipeline, true, true, 4, 8), 1);
  EXPECT_LE(difference(pipeline, true, false, 4, 0), 1);
  EXPECT_LE(difference(pipeline, false, true, 0, 4), 1);
  EXPECT_GT(difference(pipeline, true, false, 0, 4), 40);
  EXPECT_GT(difference(pipeline, false, true, 4, 0), 40);
  EXPECT_GT(difference(pipeline, false, false, 4, 0), 40);
}

TEST(Seamless, IsNotDecodedInTiles) {
  Pipeline tiled({.model = kModel, .vae_tiling = VaeTiling::on});
  Request r;
  r.pictures = {{.prompt = "a castle", .seed = 3}};
  r.width = r.height = 64, r.steps = 1, r.seamless_y = true;
  expect_error(ErrorKind::usage, {"seamless", "vae_tiling"}, [&] { tiled.generate(r); });
}

}  // namespace
}  // namespace hayate
