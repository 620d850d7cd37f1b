// EXIF in both byte orders, and broken.
#include "image/exif.h"

#include <gtest/gtest.h>

#include <random>

namespace hayate {
namespace {

// A structure with one comment, in the byte order of `mark` ("MM" or "II").
Bytes with_comment(const std::string& mark, const std::string& comment) {
  Bytes bytes;
  auto number = [&](uint32_t value, int width) {
    for (int i = 0; i < width; ++i) bytes.push_back(std::byte(value >> 8 * (mark == "MM" ? width - 1 - i : i)));
  };
  for (char c : mark) bytes.push_back(std::byte(c));
  number(42, 2);
  number(8, 4);
  number(1, 2), number(0x8769, 2), number(4, 2), number(1, 4), number(26, 4), number(0, 4);
  number(1, 2), number(0x9286, 2), number(7, 2), number(uint32_t(comment.size()), 4), number(44, 4), number(0, 4);
  for (char c : comment) bytes.push_back(std::byte(c));
  return bytes;
}

TEST(Exif, comments_of_every_encoding) {
  using namespace std::string_literals;
  for (const char* mark : {"MM", "II"}) {
    EXPECT_EQ(parse_exif(with_comment(mark, "UNICODE\0\0a\0b"s)).comment, "ab") << mark;
    EXPECT_EQ(parse_exif(with_comment(mark, "UNICODE\0a\0b\0"s)).comment, "ab") << mark;
    EXPECT_EQ(parse_exif(with_comment(mark, "UNICODE\0\xfe\xff\x75\xbe"s)).comment, "\xe7\x96\xbe") << mark;
    EXPECT_EQ(parse_exif(with_comment(mark, "UNICODE\0\xff\xfe\xbe\x75"s)).comment, "\xe7\x96\xbe") << mark;
    EXPECT_EQ(parse_exif(with_comment(mark, "UNICODE\0\0a\xd8\x3c"s)).comment, "a\xef\xbf\xbd") << mark;
    EXPECT_EQ(parse_exif(with_comment(mark, "ASCII\0\0\0ab  \0"s)).comment, "ab") << mark;
    EXPECT_EQ(parse_exif(with_comment(mark, "\0\0\0\0\0\0\0\0caf\xc3\xa9"s)).comment, "caf\xc3\xa9") << mark;
    EXPECT_EQ(parse_exif(with_comment(mark, "plain text"s)).comment, "plain text") << mark;
  }
  EXPECT_EQ(parse_exif(with_comment("MM", "UNICODE\0\x75\xbe"s)).comment, "\xe7\x96\xbe") << "no zeros: the file's byte order";
  EXPECT_EQ(parse_exif(with_comment("II", "UNICODE\0\xbe\x75"s)).comment, "\xe7\x96\xbe");
}

TEST(Exif, what_is_made_is_read) {
  for (std::string text : {"a", "a castle \xf0\x9f\x8f\xb0", ""}) EXPECT_EQ(parse_exif(make_exif(text, 1000)).comment, text);
  for (auto [text, most, size] : {std::tuple("abcdef", 12, 12), {"abcdef", 11, 6}, {"abcdef", 5, 6}, {"caf\xc3\xa9", 7, 8}}) {
    const Bytes exif = make_exif(text, exif_overhead + size_t(most));
    EXPECT_EQ(parse_exif(exif).comment, text);
    EXPECT_EQ(exif.size(), exif_overhead + size_t(size));
  }
}

TEST(Exif, whatever_is_broken_counts_as_absent) {
  const Bytes whole = with_comment("MM", "UNICODE\0\0a\0b");
  for (size_t length = 0; length < whole.size(); ++length) EXPECT_EQ(parse_exif(ByteSpan(whole).first(length)).comment, "") << length;
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    Bytes damaged = whole;
    for (int changes = 0; changes < 4; ++changes) damaged[4 + random() % (damaged.size() - 4)] = std::byte(random());
    parse_exif(damaged);
  }
}

}  // namespace
}  // namespace hayate
