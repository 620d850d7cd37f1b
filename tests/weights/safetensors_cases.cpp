// One line per case, in the groups of the format's rules.
#include "weights/safetensors_cases.h"

#include <fmt/format.h>

#include <algorithm>

namespace hayate {
namespace {

std::string length_field(uint64_t length) {
  std::string field;
  for (int i = 0; i < 8; ++i) field += char(length >> 8 * i);
  return field;
}

std::string tensor(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return fmt::format(R"({{"dtype":{},"shape":{},"data_offsets":{}}})", dtype, shape, offsets);
}

// A header with one tensor named t.
std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return fmt::format(R"({{"t":{}}})", tensor(dtype, shape, offsets));
}

// A header with F32 vectors a, b, ... at these offsets; each has the elements that its offsets span.
std::string vectors(std::vector<std::pair<int64_t, int64_t>> offsets) {
  std::string header = "{";
  for (size_t i = 0; i < offsets.size(); ++i) {
    auto [begin, end] = offsets[i];
    header += fmt::format(R"({}"{}":{})", i ? "," : "", char('a' + i),
                          tensor("\"F32\"", fmt::format("[{}]", (end - begin) / 4), fmt::format("[{},{}]", begin, end)));
  }
  return header + "}";
}

std::string repeat(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

const std::string good_header = one("\"F32\"", "[2,2]", "[0,16]");

struct Corpus {
  std::vector<SafetensorsCase> cases;

  void raw(const std::string& name, std::string file, const std::string& reason) { cases.push_back({name, std::move(file), reason}); }
  void header(const std::string& name, const std::string& header, size_t data_bytes, const std::string& reason) {
    raw(name, safetensors_bytes(header, data_bytes), reason);
  }
};

void add_good_files(Corpus& c) {
  c.header("good", good_header, 16, "");
  c.header("no tensors", "{}", 0, "");
  c.header("metadata only", R"({"__metadata__":{"format":"pt"}})", 0, "");
  c.header("spaces around", "  \n" + good_header + "   ", 16, "");
  c.header("rank 0", one("\"F32\"", "[]", "[0,4]"), 4, "");
  c.header("rank 8", one("\"F32\"", "[1,1,1,1,1,1,1,1]", "[0,4]"), 4, "");
  c.header("zero size", one("\"F32\"", "[0,2147483647]", "[0,0]"), 0, "");
  c.header("zero size beside a real one", vectors({{0, 16}, {0, 0}, {16, 16}}), 16, "");
  c.header("not in the order of the data", vectors({{8, 16}, {0, 8}}), 16, "");
  c.header("an odd file offset", good_header + " ", 16, "");
  c.header("a field that is unknown", R"({"t":{"dtype":"U8","shape":[3],"data_offsets":[0,3],"extra":[{}]}})", 3, "");
  c.header("two elements of four bits", one("\"F4\"", "[2]", "[0,1]"), 1, "");
  c.header("an empty name", R"({"":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1, "");
  c.header("a name like a path", R"({"../../etc/passwd":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1, "");
  for (auto [dtype, bytes] : {std::pair{"BOOL", 1},
                              {"U8", 1},
                              {"I8", 1},
                              {"F8_E5M2", 1},
                              {"F8_E4M3", 1},
                              {"F8_E8M0", 1},
                              {"F8_E4M3FNUZ", 1},
                              {"F8_E5M2FNUZ", 1},
                              {"I16", 2},
                              {"U16", 2},
                              {"F16", 2},
                              {"BF16", 2},
                              {"I32", 4},
                              {"U32", 4},
                              {"F32", 4},
                              {"C64", 8},
                              {"F64", 8},
                              {"I64", 8},
                              {"U64", 8}})
    c.header(dtype, one(fmt::format("\"{}\"", dtype), "[1]", fmt::format("[0,{}]", bytes)), size_t(bytes), "");
  for (const char* dtype : {"F6_E2M3", "F6_E3M2"}) c.header(dtype, one(fmt::format("\"{}\"", dtype), "[4]", "[0,3]"), 3, "");
}

void add_lengths(Corpus& c) {
  const std::string good = safetensors_bytes(good_header, 16);
  c.raw("empty", "", "only 0 bytes");
  c.raw("seven bytes", "\1\0\0\0\0\0\0", "bytes long");
  c.raw("length only", length_field(2), "not a whole");
  c.raw("length 0", length_field(0) + "{}", "not valid JSON");
  c.raw("one past the end", length_field(good_header.size() + 17) + good.substr(8), "not a whole");
  for (uint64_t length :
       {uint64_t{33554433}, uint64_t{100000001}, uint64_t{1} << 31, uint64_t{1} << 32, uint64_t{1} << 63, UINT64_MAX - 7, UINT64_MAX})
    c.raw(fmt::format("length {}", length), length_field(length) + good.substr(8), "not a");
  std::string big_endian = length_field(good_header.size());
  std::reverse(big_endian.begin(), big_endian.end());
  c.raw("big endian", big_endian + good.substr(8), "not a");
  for (size_t cut = 0; cut < good.size(); cut += 7)
    c.raw(fmt::format("cut at {}", cut), good.substr(0, cut), cut < 8 ? "bytes long" : cut < good.size() - 16 ? "not a whole" : "cut short");
  c.raw("one byte more", good + "x", "something follows");
}

void add_other_formats(Corpus& c) {
  c.raw("zip", "PK\x03\x04 and so on, and on", "zip");
  c.raw("pickle", "\x80\x02}q\x01X\x05 and so on", "pickle");
  c.raw("gguf", std::string("GGUF\3\0\0\0 and so on", 18), "GGUF");
  c.raw("git-lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git-lfs");
  c.raw("html", "<!DOCTYPE html><html><body>Not found</body></html>", "HTML");
  c.raw("json", R"({"error":"not found"})", "JSON");
  c.raw("png", "\x89PNG\r\n\x1a\n and so on", "PNG");
  c.raw("html after a blank line", "\n <html><body>Not found</body></html>", "HTML");
  c.raw("text", "Access denied.\r\nLog in first.", "text that begins with \"Access denied.\"");
  c.raw("short text", "no", "text that begins with \"no\"");
  c.raw("short json", "{}", "JSON");
}

void add_json(Corpus& c) {
  for (const char* text : {"", "{", "[1", "{} {}", "{}x", "{\"t\":}", "{,}", "{'t':1}", "{\"t\":NaN}", "{\"\\x\":1}", "{\"\1\":1}", "// c\n{}",
                           "\xff\xfe{}", "{\"\xc0\xaf\":1}", "{\"\\ud800\":1}", "\xef\xbb\xbf{}"})
    c.header(fmt::format("JSON {}", text), text, 0, "not valid JSON");
  for (const char* text : {"[]", "1", "null", "true", "\"{}\""}) c.header(fmt::format("JSON {}", text), text, 0, "JSON object");
  c.header("padded with zero bytes", std::string("{}\0\0", 4), 0, "zero byte");
  c.header("deep arrays", "{\"t\":" + repeat("[", 100000), 0, "nested deeper");
  c.header("deep objects", repeat("{\"t\":", 100000), 0, "nested deeper");
  const std::string entry = tensor("\"U8\"", "[1]", "[0,1]");
  c.header("a tensor twice", fmt::format(R"({{"t":{},"t":{}}})", entry, entry), 1, "\"t\" appears twice");
  c.header("a tensor twice, escaped", fmt::format(R"({{"t":{},"\u0074":{}}})", entry, entry), 1, "\"t\" appears twice");
  c.header("a field twice", R"({"t":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1, "\"dtype\" appears twice");
  c.header("metadata twice", R"({"__metadata__":{},"__metadata__":{}})", 0, "\"__metadata__\" appears twice");
  c.header("a metadata key twice", R"({"__metadata__":{"a":"1","a":"2"}})", 0, "\"a\" appears twice");
  c.header("a zero byte in a name", fmt::format(R"({{"a\u0000b":{}}})", entry), 1, "zero byte");
  c.header("a long name", fmt::format(R"({{"{}":{}}})", std::string(4097, 'n'), entry), 1, "at most 4096");
  std::string many = "{\"first\":" + tensor("\"U8\"", "[0]", "[0,0]");
  for (int i = 0; i < 100000; ++i) many += fmt::format(R"(,"{}":{{}})", i);
  c.header("100001 tensors", many + "}", 0, "at most 100000");
  for (const char* metadata : {"1", "null", "[]", "{\"a\":1}", "{\"a\":null}", "{\"a\":{}}"})
    c.header(fmt::format("metadata {}", metadata), fmt::format(R"({{"__metadata__":{}}})", metadata), 0, "__metadata__");
}

void add_tensors(Corpus& c) {
  for (const char* entry : {"1", "null", "[]", "\"F32\""})
    c.header(fmt::format("tensor {}", entry), fmt::format(R"({{"t":{}}})", entry), 0, "JSON object");
  c.header("no dtype", R"({"t":{"shape":[1],"data_offsets":[0,1]}})", 1, "\"dtype\" is missing");
  c.header("no shape", R"({"t":{"dtype":"U8","data_offsets":[0,1]}})", 1, "\"shape\" is missing");
  c.header("no offsets", R"({"t":{"dtype":"U8","shape":[1]}})", 1, "\"data_offsets\" is missing");
  for (const char* dtype : {"\"F17\"", "\"f32\"", "\"\"", "\"F32 \""})
    c.header(fmt::format("dtype {}", dtype), one(dtype, "[1]", "[0,4]"), 4, "is unknown");
  for (const char* dtype : {"5", "null", "[\"F32\"]"}) c.header(fmt::format("dtype {}", dtype), one(dtype, "[1]", "[0,4]"), 4, "\"dtype\" is");
  c.header("an unknown dtype and wild offsets", one("\"F17\"", "[1]", "[0,99999999]"), 4, "is unknown");
  c.header("three elements of four bits", one("\"F4\"", "[3]", "[0,1]"), 1, "12 bits");
  for (const char* shape : {"null", "4", "\"4\"", "[-1]", "[2.0]", "[\"2\"]", "[1e0]", "[true]", "[[2]]", "[2147483648]", "[18446744073709551616]",
                            "[4294967296,4294967296]", "[9223372036854775807,2]", "[18446744073709551615]"})
    c.header(fmt::format("shape {}", shape), one("\"F32\"", shape, "[0,4]"), 4, "\"shape\" is");
  c.header("rank 9", one("\"F32\"", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, "9 dimensions");
  c.header("rank 10000", one("\"F32\"", "[1" + repeat(",1", 9999) + "]", "[0,4]"), 4, "10000 dimensions");
  c.header("a product of 2^93", one("\"U8\"", "[2147483647,2147483647,2147483647]", "[0,4]"), 4, "overflows");
  c.header("a product that wraps to 4 bytes", one("\"U8\"", "[4194305,4194305,2111062]", "[0,4]"), 4, "overflows");
  c.header("a product that would wrap before a zero", one("\"U8\"", "[2147483647,2147483647,2147483647,0]", "[0,0]"), 0, "overflows");
  c.header("fewer bytes than the shape", one("\"F32\"", "[2,2]", "[0,4]"), 4, "128 bits");
  c.header("more bytes than the shape", one("\"F32\"", "[1]", "[0,16]"), 16, "32 bits");
  c.header("a million elements in 4 bytes", one("\"F32\"", "[1000000]", "[0,4]"), 4, "32000000 bits");
}

void add_offsets(Corpus& c) {
  for (const char* offsets : {"[]", "[0]", "[0,4,4]", "[4,0]"})
    c.header(fmt::format("offsets {}", offsets), one("\"F32\"", "[1]", offsets), 4, "[begin, end]");
  for (const char* offsets : {"null", "0", "{}", "[-4,0]", "[0.0,4.0]", "[\"0\",\"4\"]", "[18446744073709551612,18446744073709551616]",
                              "[18446744073709551599,18446744073709551615]"})
    c.header(fmt::format("offsets {}", offsets), one("\"F32\"", "[1]", offsets), 4, "\"data_offsets\" is");
  c.header("offsets that wrap past the header", one("\"F32\"", "[1]", "[9223372036854775803,9223372036854775807]"), 4, "overflows");
  c.header("past the end", one("\"F32\"", "[4]", "[0,16]"), 12, "cut short");
  c.header("the whole overlaps", vectors({{0, 16}, {0, 16}}), 16, "overlaps");
  c.header("a part overlaps", vectors({{0, 12}, {8, 20}}), 20, "overlaps");
  c.header("one inside another", vectors({{0, 16}, {4, 8}}), 16, "overlaps");
  c.header("zero size inside another", vectors({{0, 16}, {4, 4}}), 16, "overlaps");
  c.header("a hole in the middle", vectors({{0, 8}, {12, 20}}), 20, "hole");
  c.header("a hole at the start", vectors({{4, 8}}), 8, "hole");
  c.header("zero size far away", vectors({{0, 8}, {1099511627776, 1099511627776}}), 8, "hole");
  c.header("bytes after the tensors", vectors({{0, 8}}), 9, "something follows");
  c.header("bytes without tensors", "{}", 4, "something follows");
}

}  // namespace

std::string safetensors_bytes(const std::string& header, size_t data_bytes) {
  std::string file = length_field(header.size()) + header;
  for (size_t i = 0; i < data_bytes; ++i) file += char(i + 1);
  return file;
}

std::vector<SafetensorsCase> safetensors_cases() {
  Corpus corpus;
  for (auto add : {add_good_files, add_lengths, add_other_formats, add_json, add_tensors, add_offsets}) add(corpus);
  return std::move(corpus.cases);
}

}  // namespace hayate
