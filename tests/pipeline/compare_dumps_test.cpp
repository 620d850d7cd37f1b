// Distances between dumps.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/expect_error.h"
#include "core/scratch_folder.h"
#include "hayate/hayate.h"
#include "weights/safetensors_writer.h"

namespace hayate {
namespace {

using Values = std::vector<std::pair<std::string, std::vector<float>>>;

std::string write_dump(const std::string& path, const Values& values) {
  std::vector<TensorInfo> tensors;
  for (const auto& [name, data] : values) tensors.push_back({name, Dtype::f32, {int64_t(data.size())}});
  SafetensorsWriter writer(path, tensors);
  for (const auto& [name, data] : values) writer.write(name, std::as_bytes(std::span(data)));
  writer.commit();
  return path;
}

std::vector<Difference> compare(const Values& a, const Values& b) {
  ScratchFolder folder;
  return compare_dumps(write_dump(folder / "a", a), write_dump(folder / "b", b));
}

TEST(CompareDumps, in_the_order_of_b_over_common_names) {
  auto differences = compare({{"a", {1}}, {"only_a", {1}}, {"z", {3, 4}}}, {{"z", {3, 4}}, {"only_b", {1}}, {"a", {2}}});
  ASSERT_EQ(differences.size(), 2u);
  EXPECT_EQ(differences[0].name, "z");
  EXPECT_EQ(differences[0].relative_l2, 0);
  EXPECT_EQ(differences[0].max_abs, 0);
  EXPECT_EQ(differences[1].name, "a");
  EXPECT_EQ(differences[1].relative_l2, 0.5);
  EXPECT_EQ(differences[1].max_abs, 1);
}

TEST(CompareDumps, distances) {
  auto difference = compare({{"x", {3, 4, 1}}}, {{"x", {3, 0, 0}}}).at(0);
  EXPECT_DOUBLE_EQ(difference.relative_l2, std::sqrt(17.0) / 3);
  EXPECT_EQ(difference.max_abs, 4);
  EXPECT_EQ(compare({{"x", {}}}, {{"x", {}}}).at(0).relative_l2, 0);
  EXPECT_EQ(compare({{"x", {0, 0}}}, {{"x", {0, 0}}}).at(0).relative_l2, 0);
  EXPECT_EQ(compare({{"x", {1e-30f}}}, {{"x", {0}}}).at(0).relative_l2, HUGE_VAL);
}

TEST(CompareDumps, nan_is_never_close) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = HUGE_VALF;
  for (auto [a, b] : {std::pair{nan, 1.0f}, {1.0f, nan}, {nan, nan}, {inf, 1.0f}, {1.0f, inf}, {inf, -inf}}) {
    auto difference = compare({{"x", {1, a}}}, {{"x", {1, b}}}).at(0);
    EXPECT_EQ(difference.relative_l2, HUGE_VAL) << a << " " << b;
    EXPECT_EQ(difference.max_abs, HUGE_VAL) << a << " " << b;
  }
  EXPECT_EQ(compare({{"x", {1, -inf}}}, {{"x", {1, -inf}}}).at(0).relative_l2, 0);
}

TEST(CompareDumps, errors) {
  expect_error(ErrorKind::usage, {"no value name in common"}, [] { compare({{"a", {1}}}, {{"b", {1}}}); });
  expect_error(ErrorKind::usage, {"x has shape (2)", "and (3)"}, [] { compare({{"x", {1, 2}}}, {{"x", {1, 2, 3}}}); });
  expect_error(ErrorKind::not_found, {"/absent"}, [] { compare_dumps("/absent", "/absent"); });
}

TEST(CompareDumps, one_number_of_elements_in_two_shapes_compares) {
  ScratchFolder folder;
  const std::vector<float> data = {1, 2};
  SafetensorsWriter writer(folder / "a", {{"x", Dtype::f32, {1, 1, 2}}});
  writer.write("x", std::as_bytes(std::span(data)));
  writer.commit();
  EXPECT_EQ(compare_dumps(folder / "a", write_dump(folder / "b", {{"x", data}})).at(0).max_abs, 0);
}

}  // namespace
}  // namespace hayate
