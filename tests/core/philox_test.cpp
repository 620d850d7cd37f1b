// TorchCudaGenerator against the published answers of Philox, and numbers that torch drew on a GPU.
#include "core/philox.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/noise_cases.h"

namespace hayate {
namespace {

TEST(Philox, EqualsThePublishedAnswers) {  // Random123's kat_vectors
  using Words = std::array<uint32_t, 4>;
  constexpr uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({ones, ones, ones, ones}, {ones, ones}), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, DrawsWhatAGpuDraws) {  // seed 0, from the description of AUTOMATIC1111's rng_philox.py
  std::vector<float> drawn(12);
  TorchCudaGenerator(0).randn(drawn);
  const float expected[] = {-0.92466259f, -0.42534415f, -2.64384570f, 0.14518388f,  -0.12086647f, -0.57972564f,
                            -0.62285122f, -0.32838709f, -1.07454231f, -0.36314407f, -1.67105067f, 2.26550497f};
  for (size_t i = 0; i < drawn.size(); ++i) EXPECT_NEAR(drawn[i], expected[i], 2e-6) << i;
}

// On an H200, which has as many threads as an H100.
TEST(Philox, EqualsWhatTorchDrewOnAGpu) {
  const Json cases = noise_cases("randn_cuda.json");
  ASSERT_GT(cases.size(), 20u);
  for (const Json& golden : cases) {
    TorchCudaGenerator generator(golden["seed"].get<uint64_t>());
    for (const Json& draw : golden["draws"]) {
      std::vector<float> noise(draw["count"].get<size_t>());
      generator.randn(noise);
      EXPECT_LE(deviation(noise, draw), 2e-6) << golden["seed"] << " " << draw["count"];
    }
  }
}

std::vector<float> drawn(TorchCudaGenerator& generator, size_t count) {
  std::vector<float> numbers(count);
  generator.randn(numbers);
  return numbers;
}

TEST(Philox, GoesOnFromCallToCall) {
  TorchCudaGenerator a(7), b(7), high(7 + (uint64_t{1} << 32));
  const std::vector<float> first = drawn(a, 1000), second = drawn(a, 1000);
  EXPECT_EQ(first, drawn(b, 1000));
  EXPECT_NE(first, second);
  EXPECT_NE(first, drawn(high, 1000));
  drawn(b, 5);  // one draw of each thread, however many there are
  EXPECT_EQ(drawn(a, 100), drawn(b, 100));
}

// Beyond what the threads draw at first, their other three numbers are used, then their next four.
TEST(Philox, LargeDrawsUseAllOfWhatAThreadDraws) {
  constexpr size_t threads = 132 * 2048;
  TorchCudaGenerator large(3), small(3), next(3);
  const std::vector<float> all = drawn(large, 4 * threads + 10), some = drawn(small, 10);
  EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin()));
  drawn(next, 10);
  const std::vector<float> following = drawn(next, 10);
  EXPECT_TRUE(std::equal(following.begin(), following.end(), all.begin() + long(4 * threads)));
  double sum = 0, squares = 0;
  for (float x : all) sum += x, squares += double(x) * x;
  EXPECT_NEAR(sum / double(all.size()), 0, 5e-3);
  EXPECT_NEAR(squares / double(all.size()), 1, 5e-3);
  EXPECT_EQ(drawn(large, 10), [&] {
    drawn(small, 10);
    return drawn(small, 10);
  }());
}

}  // namespace
}  // namespace hayate
