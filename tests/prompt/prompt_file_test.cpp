// Prompts one a line.
#include "prompt/prompt_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"

namespace hayate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(PromptFile, BlankLinesAndCommentsAreLeftOut) {
  EXPECT_THAT(prompt_lines("\ufeffa castle\r\n\n# a lake\n  \t\n  a (hill)  \nlast #1", "p"), ElementsAre("a castle", "  a (hill)  ", "last #1"));
  EXPECT_THAT(prompt_lines("", "p"), IsEmpty());
  EXPECT_THAT(prompt_lines("\n#\n", "p"), IsEmpty());
}

TEST(PromptFile, LinesThatAreNoTextAreNamed) {
  expect_error(ErrorKind::bad_file, {"p.txt", "line 3", "UTF-8"}, [] { prompt_lines("a\n\nb\xff\n", "p.txt"); });
  expect_error(ErrorKind::bad_file, {"p.txt", "line 2", "zero"}, [] { prompt_lines(std::string("a\n\0b", 4), "p.txt"); });
}

}  // namespace
}  // namespace hayate
