// The text of the progress bar.
#include "cli/progress.h"

#include <gtest/gtest.h>

namespace hayate::cli {
namespace {

TEST(ProgressBar, ShowsCountRateAndTimeLeft) {
  EXPECT_EQ(progress_bar(1, 30, 0, 80), " 1/30 [=>                                      ]");
  EXPECT_EQ(progress_bar(11, 30, 5, 80), "11/30 [==============>                         ] 2.00 it/s, 0:10 left");
  EXPECT_EQ(progress_bar(30, 30, 14.5, 80), "30/30 [========================================] 2.00 it/s, 0:00 left");
}

TEST(ProgressBar, SlowStepsAreSecondsEachAndMinutesAreMinutes) {
  EXPECT_EQ(speed(0.5), "2.00 s/it");
  EXPECT_NE(progress_bar(2, 50, 20, 80).find("20.00 s/it, 16:00 left"), std::string::npos);
}

TEST(ProgressBar, NeverWiderThanTheTerminal) {
  for (int columns = 1; columns <= 100; ++columns)
    for (int step = 1; step <= 1000; step += 111) EXPECT_LT(int(progress_bar(step, 1000, 3.0 * step, columns).size()), columns);
}

}  // namespace
}  // namespace hayate::cli
