// Arrays of any type and order come onto every device as the same float32 numbers.
#include <gtest/gtest.h>

#include <limits>

#include "backend/candidates.h"
#include "core/expect_error.h"
#include "support/lying_array.h"

namespace hayate::testing {
namespace {

std::vector<float> floats_in(Backend& backend, const Buffer& buffer) {
  std::vector<float> numbers(size_t(buffer.bytes) / sizeof(float));
  backend.download(std::as_writable_bytes(std::span(numbers)), buffer);
  return numbers;
}

// The same array in the memory of the backend's device.
DeviceArray moved(Backend& backend, const Laid& laid) {
  const Buffer there = backend.allocate(int64_t(laid.memory->size()));
  backend.upload(there, *laid.memory);
  DeviceArray array = laid.array;
  const ptrdiff_t begin = static_cast<const std::byte*>(array.data.get()) - laid.memory->data();
  array.data = {there.data, there.get() + begin};
  array.gpu = backend.gpu();
  return array;
}

struct Case {
  std::vector<int64_t> shape;
  Lie lie;
};

TEST(Take, AnyTypeAndOrder) {
  std::vector<Case> cases;
  for (FloatType type : {FloatType::f32, FloatType::f16, FloatType::bf16})
    for (const Case& c : {Case{{7}, {}}, Case{{5}, {.backwards = {0}}}, Case{{3, 5}, {.order = {1, 0}}}, Case{{2, 8, 6, 4}, {.order = {0, 3, 1, 2}}},
                          Case{{2, 8, 6, 4}, {.order = {2, 0, 3, 1}, .backwards = {1, 3}}}, Case{{77, 2048}, {}}}) {
      cases.push_back(c);
      cases.back().lie.type = type;
    }
  for (const Candidate& candidate : candidates())
    for (const Case& c : cases)
      for (bool on_device : {false, true}) {
        SCOPED_TRACE(std::string(candidate.name) + (on_device ? ", there" : ", from the host"));
        Backend& backend = *candidate.backend;
        int64_t count = 1;
        for (int64_t d : c.shape) count *= d;
        const std::vector<float> numbers = random_floats("numbers", count, 0.2f, 1);
        const Laid from = laid(numbers, c.shape, c.lie);
        const int64_t columns = c.shape.back(), width = columns + 3, rows = count / columns;
        const Buffer to = backend.fill(rows * width * 4, [](std::span<std::byte> all) { std::ranges::fill(all, std::byte{}); });
        EXPECT_TRUE(backend.take(to, width, on_device ? moved(backend, from) : from.array, 0.75f));
        std::vector<float> expected(size_t(rows * width));
        const std::vector<float> rounded = rounded_to(c.lie.type, numbers);
        for (int64_t i = 0; i < count; ++i) expected[size_t(i / columns * width + i % columns)] = rounded[size_t(i)] * 0.75f;
        EXPECT_EQ(floats_in(backend, to), expected);
      }
}

TEST(Take, TellsOfNumbersThatAreNotFinite) {
  for (const Candidate& candidate : candidates())
    for (FloatType type : {FloatType::f32, FloatType::f16, FloatType::bf16})
      for (float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
        SCOPED_TRACE(candidate.name);
        std::vector<float> numbers(600, 1.0f);
        numbers[599] = bad;
        const Laid from = laid(numbers, {20, 30}, {.type = type});
        const Buffer to = candidate.backend->allocate(600 * 4);
        EXPECT_FALSE(candidate.backend->take(to, 30, moved(*candidate.backend, from), 1));
        EXPECT_FALSE(candidate.backend->take(to, 30, from.array, 1));
      }
}

TEST(Take, RefusesNumbersOfAnotherGpu) {
  for (const Candidate& candidate : candidates()) {
    DeviceArray array = laid({1, 2}, {2}, {}).array;
    array.gpu = 99;
    expect_error(ErrorKind::usage, {"GPU 99"}, [&] { candidate.backend->take(candidate.backend->allocate(8), 2, array, 1); });
  }
}

TEST(Take, MemoryForOthersIsCountedUntilItsLastCopyGoes) {
  for (const Candidate& candidate : candidates()) {
    Backend& backend = *candidate.backend;
    const int64_t before = backend.memory().used();
    std::shared_ptr<void> copy = backend.allocate_for_others(1000).data;
    EXPECT_EQ(backend.memory().used(), before + 1000) << candidate.name;
    copy = nullptr;
    EXPECT_EQ(backend.memory().used(), before) << candidate.name;
  }
}

}  // namespace
}  // namespace hayate::testing
