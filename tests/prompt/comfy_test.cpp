// The comfy syntax by hand: the examples of its own documentation, and what is refused.
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "prompt/comfy_syntax.h"

namespace hayate {
namespace {

void expect_texts(const char* prompt, std::vector<WeightedText> expected) {
  std::vector<WeightedText> found = parse_comfy(prompt);
  ASSERT_EQ(found.size(), expected.size()) << prompt;
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].text, expected[i].text) << prompt;
    EXPECT_NEAR(found[i].weight, expected[i].weight, 1e-9) << prompt << ": " << found[i].text;
  }
}

TEST(ComfySyntax, ItsOwnExamples) {
  expect_texts("(foo)(bar)", {{"foo", 1.1}, {"bar", 1.1}});
  expect_texts("((foo))", {{"foo", 1.21}});
  expect_texts("((foo):1.1)", {{"foo", 1.21}});
  expect_texts("((foo:1.1))", {{"foo", 1.1}});
  expect_texts("((foo:1.0):0.0)", {{"foo", 1}});
  expect_texts("foo ((((lol (cat:666) attack:100)))) baz", {{"foo ", 1}, {"lol ", 100}, {"cat", 666}, {" attack", 100}, {" baz", 1}});
  expect_texts("foo ((((lol (cat:666) attack):100))) baz", {{"foo ", 1}, {"lol ", 110}, {"cat", 666}, {" attack", 110}, {" baz", 1}});
}

TEST(ComfySyntax, EscapesAndLooseBracketsAreText) {
  expect_texts("\\(a\\) (b\\):2)", {{"(a) ", 1}, {"b)", 2}});
  expect_texts("[a] \\[ \\\\", {{"[a] \\[ \\\\", 1}});
  expect_texts("(a", {{"(a", 1}});
  expect_texts("a) (b) c", {{"a) (b) c", 1}});
  expect_texts("(:2)", {{":2", 1.1}});
  expect_texts("()", {});
  expect_texts("", {});
}

TEST(ComfySyntax, WeightsMustBeFinite) {
  for (const char* weight : {"inf", "nan", "-Infinity", "1e99", "1e999"})
    expect_error(ErrorKind::usage, {"castle", "finite"}, [&] { parse_comfy("(castle:" + std::string(weight) + ")"); });
  expect_texts("(a: -1e1 )", {{"a", -10}});
  expect_texts("(a:b)(c:0x1)", {{"a:b", 1.1}, {"c:0x1", 1.1}});
}

TEST(ComfySyntax, DeepNestingIsRefused) {
  expect_error(ErrorKind::usage, {"100 brackets"}, [] { parse_comfy(std::string(101, '(') + "a" + std::string(101, ')')); });
}

}  // namespace
}  // namespace hayate
