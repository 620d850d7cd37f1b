// Patterns over names.
#include "core/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace hayate {
namespace {

TEST(Glob, matches) {
  for (auto [pattern, text] : {std::pair{"", ""},
                               {"*", ""},
                               {"*", "a.b"},
                               {"a", "a"},
                               {"?", "a"},
                               {"a*", "a"},
                               {"*c", "abc"},
                               {"a*c", "ac"},
                               {"**", "x"},
                               {"a*b*c", "aXbXbXc"},
                               {"mid_block.*", "mid_block.attentions.0"},
                               {"*.to_?", "attn1.to_q"},
                               {"*ab", "aab"},
                               {"[a]", "[a]"}})
    EXPECT_TRUE(glob_match(pattern, text)) << pattern << " " << text;
}

TEST(Glob, does_not_match) {
  for (auto [pattern, text] : {std::pair{"", "a"},
                               {"?", ""},
                               {"?", "ab"},
                               {"a", "b"},
                               {"a*", "ba"},
                               {"*c", "ca"},
                               {"a*c", "acb"},
                               {"a*b*c", "aXcXb"},
                               {"mid_block", "mid_block.x"},
                               {"[ab]", "a"},
                               {"*?", ""}})
    EXPECT_FALSE(glob_match(pattern, text)) << pattern << " " << text;
}

TEST(Glob, many_stars_take_no_exponential_time) {
  std::string pattern, text(20000, 'a');
  for (int i = 0; i < 2000; ++i) pattern += "*a";
  EXPECT_TRUE(glob_match(pattern, text));
  EXPECT_FALSE(glob_match(pattern + "b", text));
}

}  // namespace
}  // namespace hayate
