// UTF-8 at its edges.
#include "core/utf8.h"

#include <gtest/gtest.h>

namespace hayate {
namespace {

TEST(Utf8, ComesBack) {
  std::u32string text = {U'a', 0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xfffe, 0xffff, 0x10000, 0x10ffff};
  EXPECT_EQ(from_utf8(to_utf8(text)).value(), text);
}

TEST(Utf8, WhatIsNotUtf8IsFound) {
  for (std::string_view bad : {"\x80", "\xff", "\xc3", "a\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"})
    EXPECT_FALSE(from_utf8(bad)) << bad;
  EXPECT_EQ(replace_invalid_utf8("a\xffz\xc3"), "a\ufffdz\ufffd");
  EXPECT_EQ(replace_invalid_utf8("é🙂"), "é🙂");
}

}  // namespace
}  // namespace hayate
