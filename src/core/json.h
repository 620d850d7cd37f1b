// JSON from files that nobody vouches for: strict, bounded, and with errors that name the file and the key.
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "hayate/error.h"

namespace hayate {

using Json = nlohmann::json;

struct JsonLimits {
  int64_t max_bytes = int64_t{16} << 20;  // a parsed value takes about ten times its text
  int max_depth = 64;
};

// One whole JSON text and nothing after it. Beyond the grammar, these are Error(bad_file) too: a key given twice (compared
// after unescaping), text that is not UTF-8, a byte order mark, and whatever exceeds the limits. `what` names the text.
Json parse_json(std::string_view text, const std::string& what, const JsonLimits& limits = {});

Json read_json_file(const std::string& path, const JsonLimits& limits = {});

// A value as it may stand in a message: one short line, whatever a file holds.
std::string excerpt(const Json& value);

// A JSON object seen as settings: every getter checks type and range and names `what` and the key in its error, which is of the
// given kind. A key that is absent or null takes the fallback, and is an error where there is none.
class JsonObject {
 public:
  JsonObject(Json object, std::string what, ErrorKind kind = ErrorKind::bad_model);

  const std::string& what() const { return what_; }
  const Json& all() const { return object_; }
  std::vector<std::string> keys() const;
  bool has(const std::string& key) const;  // present and not null
  const Json& raw(const std::string& key) const;

  int64_t integer(const std::string& key, int64_t lo, int64_t hi) const;
  int64_t integer(const std::string& key, int64_t lo, int64_t hi, int64_t fallback) const;
  std::vector<int64_t> integers(const std::string& key, int64_t lo, int64_t hi) const;
  double number(const std::string& key, double lo, double hi) const;
  double number(const std::string& key, double lo, double hi, double fallback) const;
  bool boolean(const std::string& key) const;
  bool boolean(const std::string& key, bool fallback) const;
  std::string string(const std::string& key) const;
  std::string string(const std::string& key, const std::string& fallback) const;

 private:
  [[noreturn]] void fail_expected(const std::string& key, const std::string& expected) const;

  Json object_;
  std::string what_;
  ErrorKind kind_;
};

}  // namespace hayate
