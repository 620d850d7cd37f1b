// The step schedules of DeepCache against those of its authors (tools/reference/deepcache.py).
#include "schedule/whole_steps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"

namespace hayate {
namespace {

using ::testing::ElementsAre;

TEST(WholeSteps, AreEvenlySpread) {
  EXPECT_THAT(whole_steps(10, 3, {}, 1.2f), ElementsAre(0, 3, 6, 9));
  EXPECT_THAT(whole_steps(4, 1, {}, 1.2f), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(whole_steps(4, 1, 2, 1.2f), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(whole_steps(3, 1000, {}, 1.2f), ElementsAre(0));
}

TEST(WholeSteps, LieDenserAroundACenter) {
  EXPECT_THAT(whole_steps(50, 5, 15, 1.4f), ElementsAre(0, 5, 9, 13, 17, 21, 26, 31, 37, 43));
  EXPECT_THAT(whole_steps(50, 2, 15, 1.4f),
              ElementsAre(0, 2, 4, 6, 7, 9, 11, 12, 14, 15, 17, 18, 20, 22, 24, 26, 28, 30, 32, 35, 37, 39, 42, 44, 47));
  EXPECT_THAT(whole_steps(50, 5, 15, 1.2f), ElementsAre(0, 5, 10, 14, 18, 22, 27, 32, 38, 44));
  EXPECT_THAT(whole_steps(30, 3, 10, 1.4f), ElementsAre(0, 3, 6, 8, 10, 13, 16, 19, 22, 26));
  EXPECT_THAT(whole_steps(20, 4, 0, 1.5f), ElementsAre(0, 1, 5, 9, 14));
  EXPECT_THAT(whole_steps(100, 10, 40, 2.0f), ElementsAre(0, 9, 17, 26, 36, 45, 55, 65, 76, 88));
  EXPECT_THAT(whole_steps(25, 5, 24, 1.4f), ElementsAre(0, 7, 13, 19, 23));
}

TEST(WholeSteps, AreNotAlwaysFound) {
  expect_error(ErrorKind::usage, {"step 3 of 8"}, [] { whole_steps(8, 2, 3, 1.05f); });
}

}  // namespace
}  // namespace hayate
