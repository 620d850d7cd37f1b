// Which word is taken for a slip of which.
#include "hayate/suggest.h"

#include <gtest/gtest.h>

namespace hayate {
namespace {

TEST(Closest, OneSlipInThreeLetters) {
  std::vector<std::string> known = {"--steps", "--seed", "--scheduler", "generate", "rungs"};
  for (auto [word, meant] : {std::pair{"--setps", "--steps"},
                             {"--step", "--steps"},
                             {"--sede", "--seed"},
                             {"--schedluer", "--scheduler"},
                             {"genrate", "generate"},
                             {"rung", "rungs"},
                             {"draw", ""},
                             {"--colour", ""},
                             {"", ""}})
    EXPECT_EQ(closest(word, known), meant) << word;
  EXPECT_EQ(closest(std::string(100000, 'x'), known), "");
}

}  // namespace
}  // namespace hayate
