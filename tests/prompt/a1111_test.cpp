// The a1111 syntax by hand: the examples of its own documentation, what is refused, and its quirks.
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "prompt/a1111_networks.h"
#include "prompt/a1111_syntax.h"

namespace hayate {

void PrintTo(const WeightedText& t, std::ostream* out) { *out << '"' << t.text << "\": " << t.weight; }

namespace {

void expect_texts(const char* prompt, std::vector<WeightedText> expected) {
  std::vector<WeightedText> found = parse_a1111(prompt);
  ASSERT_EQ(found.size(), expected.size()) << prompt;
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].text, expected[i].text) << prompt;
    EXPECT_NEAR(found[i].weight, expected[i].weight, 1e-12) << prompt << ": " << found[i].text;
  }
}

TEST(A1111Syntax, ItsOwnExamples) {
  expect_texts("normal text", {{"normal text", 1}});
  expect_texts("an (important) word", {{"an ", 1}, {"important", 1.1}, {" word", 1}});
  expect_texts("(unbalanced", {{"unbalanced", 1.1}});
  expect_texts("\\(literal\\]", {{"(literal]", 1}});
  expect_texts("(unnecessary)(parens)", {{"unnecessaryparens", 1.1}});
  expect_texts("a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
               {{"a ", 1}, {"house", 1.573}, {" ", 1.1}, {"on", 1}, {" a ", 1.1}, {"hill", 0.55}, {", sun, ", 1.1}, {"sky", 1.4641}, {".", 1.1}});
}

TEST(A1111Syntax, ABreakIsAWordOfItsOwnOutsideOfBrackets) {
  auto breaks = [](const char* prompt) {
    std::vector<WeightedText> texts = parse_a1111(prompt);
    return std::count_if(texts.begin(), texts.end(), is_break);
  };
  EXPECT_EQ(breaks("a BREAK b, BREAK"), 2);
  EXPECT_EQ(breaks("BREAKS aBREAK _BREAK éBREAK break"), 0);
  EXPECT_EQ(breaks("(a BREAK b)"), 0);
  EXPECT_EQ(breaks("(a BREAK b:1.0)"), 1);
}

TEST(A1111Syntax, WeightsMustBeNumbers) {
  expect_error(ErrorKind::usage, {"1.2.3"}, [] { parse_a1111("(a:1.2.3)"); });
  expect_error(ErrorKind::usage, {"\".\""}, [] { parse_a1111("(a:.)"); });
  expect_error(ErrorKind::usage, {"castle", "finite"}, [] { parse_a1111("(castle:" + std::string(400, '9') + ")"); });
  expect_error(ErrorKind::usage, {"castle", "finite"}, [] { parse_a1111("((castle:99999999999999999999):99999999999999999999)"); });
  expect_texts("(a:b:c)", {{"a:b:c", 1.1}});
}

TEST(A1111Syntax, DeepNestingIsRefused) {
  expect_error(ErrorKind::usage, {"100 brackets"}, [] { parse_a1111(std::string(101, '(') + "a"); });
  EXPECT_EQ(parse_a1111(std::string(50, '(') + std::string(50, '[') + "a").size(), 1u);
}

void expect_refused(const char* prompt, const char* named) {
  expect_error(ErrorKind::unsupported, {named}, [&] { refuse_unsupported_a1111(prompt, false); });
}

TEST(A1111Syntax, PromptsThatChangeBetweenStepsAreRefused) {
  expect_refused("a [castle:lake:10] b", "\"[castle:lake:10]\"");
  expect_refused("[castle: 0.5]", "\"[castle: 0.5]\"");
  expect_refused("[castle:lake: 3 ]", "changes after a step");
  expect_refused("[castle::.5]", "\"[castle::.5]\"");
  expect_refused("[(a:1.2):3]", "\"[(a:1.2):3]\"");
  expect_refused("a[b:[c:d:2]:1]e", "\"[c:d:2]\"");
  expect_refused("((a][:b:c [d:3]", "\"[d:3]\"");
  expect_refused("[castle|lake]", "alternates");
  expect_refused("[fe|]male", "\"[fe|]\"");
  for (const char* text : {"[a]", "[a:b]", "[a:b:c]", "(a:1.3)", "a|b", "[a\\|b]", "\\[a:3]", "[a:3 b", "(a|b)", "[(a:3])", "[a:b:c:3]", "12:30:15 a"})
    EXPECT_NO_THROW(refuse_unsupported_a1111(text, false)) << text;
}

TEST(A1111Syntax, NetworksAreRefused) {
  for (void (*take)(const char*) : {+[](const char* text) { loras_in(text); }, +[](const char* text) { without_loras(text); }}) {
    expect_error(ErrorKind::unsupported, {"\"<hypernet:x>\""}, [&] { take("<hypernet:x>"); });
    expect_error(ErrorKind::usage, {"<lora:x:much>", "\"much\""}, [&] { take("<lora:x:much>"); });
    expect_error(ErrorKind::usage, {"<lora:x:nan>"}, [&] { take("<lora:x:nan>"); });
    expect_error(ErrorKind::usage, {"<lora:x:1:1e99>"}, [&] { take("<lora:x:1:1e99>"); });
    expect_error(ErrorKind::usage, {"\"\" is no"}, [&] { take("<lora:x:>"); });
    expect_error(ErrorKind::unsupported, {"<lora:x:1:2:3>", "two weights"}, [&] { take("<lora:x:1:2:3>"); });
    expect_error(ErrorKind::unsupported, {"dyn"}, [&] { take("<lora:x:1:dyn=4>"); });
  }
  expect_error(ErrorKind::unsupported, {"<lora:x", "negative"}, [&] { refuse_unsupported_a1111("<lora:x:1>", true); });
}

TEST(A1111Syntax, LorasAreTakenOutOfThePrompt) {
  EXPECT_EQ(without_loras("a <lora:style:0.8>castle, (sky<lora:b>:1.2)"), "a castle, (sky:1.2)");
  for (const char* text : {"<lora>", "<:a>", "<lora:>", "a < b: c", "< lora:x>", "<lora:x"}) EXPECT_EQ(without_loras(text), text);
  const std::vector<PromptLora> loras = loras_in("<lora:a>, <lora:b.v2:0.5> <lora:c:0.5:-2><lora:d:1:unet=3><lora:e:te=0:unet=2>");
  ASSERT_EQ(loras.size(), 5u);
  const PromptLora expected[] = {{"a", 1, 1}, {"b.v2", 0.5f, 0.5f}, {"c", -2, 0.5f}, {"d", 3, 1}, {"e", 2, 0}};
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(loras[i].name, expected[i].name);
    EXPECT_EQ(loras[i].weight, expected[i].weight) << i;
    EXPECT_EQ(loras[i].text_weight, expected[i].text_weight) << i;
  }
}

TEST(A1111Syntax, CombinationsOfPromptsAreRefused) {
  expect_refused("a castle AND a lake", "\"AND\"");
  expect_refused("a castle :1.5 ", "\":1.5\"");
  expect_refused("16:9", "\":9\"");
  for (const char* text : {"a castle AND a lake", "a castle:1.5"}) EXPECT_NO_THROW(refuse_unsupported_a1111(text, true)) << text;
  for (const char* text : {"SAND and_AND", "(a:1.5)", "a:", "a:b", "a:1.5."}) EXPECT_NO_THROW(refuse_unsupported_a1111(text, false)) << text;
}

}  // namespace
}  // namespace hayate
