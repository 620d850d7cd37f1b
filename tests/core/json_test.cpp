// Strict parsing and typed settings.
#include "core/json.h"

#include "core/expect_error.h"
#include "core/scratch_folder.h"

namespace hayate {
namespace {

Json parse(std::string_view text, const JsonLimits& limits = {}) { return parse_json(text, "test.json", limits); }

TEST(Json, builds_what_nlohmann_builds) {
  for (const char* text : {R"({"a": [1, -2, 3.5e2, true, false, null, "x\u00e9\n"], "b": {"c": {}, "d": []}, "": 18446744073709551615})", "[]", "{}",
                           "7", "\"s\"", " null \n", R"([[1], [[2]], {"a": [{"b": 3}]}, 4])"})
    EXPECT_EQ(parse(text), Json::parse(text)) << text;
}

TEST(Json, rejects) {
  std::string utf8_bom = "\xef\xbb\xbf{}", zero_after("{}\0\0", 4), zero_inside("{\0}", 3);
  std::vector<std::string> texts = {"",
                                    " ",
                                    "{",
                                    "}",
                                    "[",
                                    "{]",
                                    "{} {}",
                                    "{}x",
                                    "{\"a\":1,}",
                                    "[1,]",
                                    "{a:1}",
                                    "{'a':1}",
                                    "{\"a\" 1}",
                                    "[NaN]",
                                    "[Infinity]",
                                    "[01]",
                                    "[1.]",
                                    "[+1]",
                                    "[1e999]",
                                    "[tru]",
                                    "// c\n{}",
                                    "{/*c*/}",
                                    "[\"\n\"]",
                                    R"(["\x"])",
                                    R"(["\ud800"])",
                                    R"(["\udc00\ud800"])",
                                    "[\"\xff\"]",
                                    "[\"\xc0\xaf\"]",
                                    "[\"\xed\xa0\x80\"]",
                                    "[\"abc",
                                    utf8_bom,
                                    zero_after,
                                    zero_inside,
                                    R"({"a":1,"a":1})",
                                    R"({"a":1,"\u0061":2})",
                                    R"([{"x":{"k":[],"k":[]}}])"};
  for (const std::string& text : texts) {
    SCOPED_TRACE(text);
    expect_error(ErrorKind::bad_file, {"test.json"}, [&] { parse(text); });
  }
}

TEST(Json, errors_name_byte_and_key) {
  expect_error(ErrorKind::bad_file, {"test.json", "byte 9"}, [] { parse("{\"abc\": x}"); });
  expect_error(ErrorKind::bad_file, {"test.json", "\"abc\"", "twice"}, [] { parse("{\"abc\": 1, \"abc\": 2}"); });
}

TEST(Json, deep_nesting_is_an_error_and_not_a_crash) {
  for (const char* unit : {"[", "{\"a\":"}) {
    std::string text;
    for (int i = 0; i < 100000; ++i) text += unit;
    expect_error(ErrorKind::bad_file, {"test.json", "64"}, [&] { parse(text); });
  }
  EXPECT_NO_THROW(parse("[[[]]]", {.max_depth = 3}));
  EXPECT_THROW(parse("[[[]]]", {.max_depth = 2}), Error);
}

TEST(Json, size_is_limited) {
  EXPECT_NO_THROW(parse("[1, 2]", {.max_bytes = 6}));
  expect_error(ErrorKind::bad_file, {"test.json", "5"}, [] { parse("[1, 2]", {.max_bytes = 5}); });
  ScratchFolder folder;
  std::string path = folder.write("a.json", "[1, 2]");
  EXPECT_EQ(read_json_file(path), Json::parse("[1, 2]"));
  expect_error(ErrorKind::bad_file, {"a.json"}, [&] { read_json_file(path, {.max_bytes = 5}); });
}

const JsonObject settings(Json::parse(R"({"i": 5, "neg": -3, "big": 18446744073709551615, "f": 0.5, "b": true, "s": "text", "n": null, "l": [1, 2, 3],
                                          "m": [1, "2"], "o": {"x": 1}})"),
                          "unet/config.json");

TEST(JsonObject, reads) {
  EXPECT_EQ(settings.integer("i", 0, 10), 5);
  EXPECT_EQ(settings.integer("neg", -3, -3), -3);
  EXPECT_EQ(settings.integer("absent", 0, 10, 7), 7);
  EXPECT_EQ(settings.integer("n", 0, 10, 7), 7);
  EXPECT_EQ(settings.number("f", 0, 1), 0.5);
  EXPECT_EQ(settings.number("i", 0, 10), 5.0);
  EXPECT_EQ(settings.number("absent", 0, 1, 0.25), 0.25);
  EXPECT_TRUE(settings.boolean("b"));
  EXPECT_TRUE(settings.boolean("absent", true));
  EXPECT_EQ(settings.string("s"), "text");
  EXPECT_EQ(settings.string("n", "default"), "default");
  EXPECT_EQ(settings.integers("l", 1, 3), (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(settings.raw("o").at("x"), 1);
  EXPECT_TRUE(settings.has("i"));
  EXPECT_FALSE(settings.has("n"));
  EXPECT_FALSE(settings.has("absent"));
  EXPECT_EQ(settings.keys().size(), 10u);
}

TEST(JsonObject, errors_name_file_key_and_what_was_found) {
  auto wrong = [](std::initializer_list<const char*> mentions, auto&& action) { expect_error(ErrorKind::bad_model, mentions, action); };
  wrong({"unet/config.json", "\"i\"", "is 5", "from 6 to 9"}, [] { settings.integer("i", 6, 9); });
  wrong({"\"i\"", "is 5"}, [] { settings.integer("i", 0, 4, 1); });
  wrong({"\"absent\"", "missing"}, [] { settings.integer("absent", 0, 9); });
  wrong({"\"n\"", "null"}, [] { settings.integer("n", 0, 9); });
  wrong({"\"f\"", "0.5"}, [] { settings.integer("f", 0, 9); });
  wrong({"\"b\"", "true"}, [] { settings.integer("b", 0, 9); });
  wrong({"\"big\"", "18446744073709551615"}, [] { settings.integer("big", INT64_MIN, INT64_MAX); });
  wrong({"\"f\"", "0.5", "from 1 to 2"}, [] { settings.number("f", 1, 2); });
  wrong({"\"s\"", "text"}, [] { settings.number("s", 1, 2, 1.5); });
  wrong({"\"s\""}, [] { settings.boolean("s", true); });
  wrong({"\"i\""}, [] { settings.boolean("i"); });
  wrong({"\"i\""}, [] { settings.string("i"); });
  wrong({"\"m\""}, [] { settings.integers("m", 0, 9); });
  wrong({"\"l\""}, [] { settings.integers("l", 0, 2); });
  wrong({"\"i\""}, [] { settings.integers("i", 0, 9); });
  wrong({"\"n\""}, [] { settings.raw("n"); });
  wrong({"x.json", "[1]"}, [] { JsonObject(Json::parse("[1]"), "x.json"); });
  wrong({"\"s\""}, [] { JsonObject({{"s", std::string(100000, 'a')}}, "x.json").integer("s", 0, 1); });
}

TEST(JsonObject, a_number_that_is_not_finite_is_refused) {
  JsonObject odd(Json{{"nan", std::nan("")}, {"inf", HUGE_VAL}}, "x.json");
  EXPECT_THROW(odd.number("nan", -1e300, 1e300), Error);
  EXPECT_THROW(odd.number("inf", -1e300, 1e300), Error);
}

}  // namespace
}  // namespace hayate
