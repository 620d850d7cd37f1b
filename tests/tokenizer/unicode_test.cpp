// The corners of Unicode in which tokenizers differ.
#include "tokenizer/unicode.h"

#include <gtest/gtest.h>

namespace hayate {
namespace {

TEST(Unicode, LowercaseTakesEachCharacterAlone) {
  EXPECT_EQ(lowercase(U"ΟΔΟΣ"), U"οδοσ");  // no final sigma
  EXPECT_EQ(lowercase(U"İI"), U"i\u0307i");
  EXPECT_EQ(lowercase(U"ẞÀǅ\U00010400"), U"ßàǆ\U00010428");
}

TEST(Unicode, NfcComposesAndOrders) {
  EXPECT_EQ(nfc(U"e\u0301"), U"é");
  EXPECT_EQ(nfc(U"\u1100\u1161\u11a8"), U"각");
  EXPECT_EQ(nfc(U"q\u0307\u0323"), U"q\u0323\u0307");
  EXPECT_EQ(nfc(U"\u212b\u0958"), U"Å\u0915\u093c");  // a singleton, and one that must not be composed again
  EXPECT_EQ(nfc(std::u32string(U"a\0b", 3)), std::u32string(U"a\0b", 3));
  EXPECT_EQ(nfc(U""), U"");
}

TEST(Unicode, ClassesAreThoseOfTheExpression) {
  for (char32_t c : std::u32string(U"\t\n\v\f\r \u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000")) EXPECT_TRUE(is_space(c)) << uint32_t(c);
  for (char32_t c : {U'\u200b', U'\u180e', U'\ufeff', U'\x1c', U'\x1f', U'\0', U'x'}) EXPECT_FALSE(is_space(c)) << uint32_t(c);
  for (char32_t c : {U'a', U'Ж', U'猫', U'ª', U'ʰ', U'ǅ'}) EXPECT_TRUE(is_letter(c)) << uint32_t(c);
  for (char32_t c : {U'\u0301', U'1', U'_', U'ⓐ', U'🙂'}) EXPECT_FALSE(is_letter(c)) << uint32_t(c);
  for (char32_t c : {U'0', U'½', U'Ⅻ', U'①', U'५'}) EXPECT_TRUE(is_number(c)) << uint32_t(c);
  EXPECT_FALSE(is_number(U'一'));
}

}  // namespace
}  // namespace hayate
