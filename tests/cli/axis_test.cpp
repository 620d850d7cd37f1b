// Axes of grids: lists, quotes, ranges, and what is refused.
#include "cli/axis.h"

#include <gtest/gtest.h>

#include "core/expect_error.h"

namespace hayate::cli {
namespace {

using Values = std::vector<std::string>;

Values values_of(const std::string& text) { return parse_axis("--x", text).values; }
Values ranges_of(const std::string& text) { return with_ranges("--x", parse_axis("--x", text)).values; }

TEST(Axis, IsANameAndValues) {
  EXPECT_EQ(parse_axis("--x", "steps=4,10,30").name, "steps");
  EXPECT_EQ(values_of("steps=4,10,30"), (Values{"4", "10", "30"}));
  EXPECT_EQ(values_of("words= a red house , a blue one"), (Values{"a red house", "a blue one"}));
  EXPECT_EQ(values_of("lora=a=b.safetensors:0.5"), (Values{"a=b.safetensors:0.5"}));
}

TEST(Axis, QuotesKeepCommasAndMayBeEmpty) {
  EXPECT_EQ(values_of("guidance-interval=\"0,0.6\", \"0.2,1\""), (Values{"0,0.6", "0.2,1"}));
  EXPECT_EQ(values_of("words=day,\"\",\" \"\"night\"\" \""), (Values{"day", "", " \"night\" "}));
}

TEST(Axis, RangesCountUpAndIncludeTheirEnds) {
  EXPECT_EQ(ranges_of("seed=1-3,7"), (Values{"1", "2", "3", "7"}));
  EXPECT_EQ(ranges_of("steps=10-30:10"), (Values{"10", "20", "30"}));
  EXPECT_EQ(ranges_of("strength=0.2-1:0.2"), (Values{"0.2", "0.4", "0.6", "0.8", "1"}));
  EXPECT_EQ(ranges_of("lora-weight=-1-1:0.5"), (Values{"-1", "-0.5", "0", "0.5", "1"}));
  EXPECT_EQ(ranges_of("seed=18446744073709551614-18446744073709551615"), (Values{"18446744073709551614", "18446744073709551615"}));
  EXPECT_EQ(ranges_of("steps=1-30:10"), (Values{"1", "11", "21"}));
  EXPECT_EQ(ranges_of("steps=many,1-,-1,1-2-3,1-5:"), (Values{"many", "1-", "-1", "1-2-3", "1-5:"}))
      << "no ranges: the flag itself says what is wrong";
}

TEST(Axis, WhatIsNoAxisIsRefused) {
  for (const char* text : {"", "steps", "=4", "steps=", "steps=4,", "steps=,4", "steps=4,,5", "words=\"day", "words=\"day\"night"})
    expect_error(ErrorKind::usage, {"--x: "}, [&] { values_of(text); });
  for (const char* text : {"seed=5-1", "seed=1-5:0", "strength=0-1:-0.5", "seed=0-1000", "seed=0-18446744073709551615", "strength=0-1:1e-9",
                           "strength=0-inf", "strength=0-1:nan", "strength=nan-1", "seed=1-600,1-600"})
    expect_error(ErrorKind::usage, {"--x: "}, [&] { ranges_of(text); });
}

}  // namespace
}  // namespace hayate::cli
