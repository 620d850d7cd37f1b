// Builds the value from nlohmann's event parser, which keeps its own stack: deep nesting cannot overflow ours.
#include "core/json.h"

#include <algorithm>

#include "core/error.h"
#include "core/file_reader.h"

namespace hayate {
namespace {

class TreeBuilder : public nlohmann::json_sax<Json> {
 public:
  TreeBuilder(const std::string& what, int max_depth) : what_(what), max_depth_(max_depth) {}

  Json take() { return std::move(root_); }

  bool null() override { return add(nullptr), true; }
  bool boolean(bool value) override { return add(value), true; }
  bool number_integer(number_integer_t value) override { return add(value), true; }
  bool number_unsigned(number_unsigned_t value) override { return add(value), true; }
  bool number_float(number_float_t value, const string_t&) override { return add(value), true; }
  bool string(string_t& value) override { return add(std::move(value)), true; }
  bool binary(binary_t&) override { return false; }  // not in JSON text
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return open_.pop_back(), true; }
  bool end_array() override { return open_.pop_back(), true; }

  bool key(string_t& name) override {
    auto [slot, added] = open_.back()->emplace(name, nullptr);
    require(added, ErrorKind::bad_file, "{}: the key {} appears twice in one object", what_, excerpt(name));
    slot_ = &*slot;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    std::string_view reason = error.what();  // "[json.exception...] parse error at line 1, column 2: reason; last read: '...'"
    if (size_t start = reason.find(": "); start != reason.npos) reason.remove_prefix(start + 2);
    reason = reason.substr(0, reason.find("; last read"));
    fail(ErrorKind::bad_file, "{}: not valid JSON at byte {}: {}", what_, position, reason.substr(0, 200));
  }

 private:
  // Where the next value goes: the root, the slot of the last key, or the end of the open array.
  template <class T>
  Json* add(T&& value) {
    if (open_.empty()) return &(root_ = std::forward<T>(value));
    if (open_.back()->is_object()) return &(*slot_ = std::forward<T>(value));
    return &open_.back()->emplace_back(std::forward<T>(value));
  }

  bool open(Json container) {
    require(int(open_.size()) < max_depth_, ErrorKind::bad_file, "{}: nested deeper than {} levels", what_, max_depth_);
    open_.push_back(add(std::move(container)));
    return true;
  }

  const std::string& what_;
  const int max_depth_;
  Json root_;
  Json* slot_ = nullptr;
  std::vector<Json*> open_;  // stays valid: only the innermost container grows
};

}  // namespace

Json parse_json(std::string_view text, const std::string& what, const JsonLimits& limits) {
  require(int64_t(text.size()) <= limits.max_bytes, ErrorKind::bad_file, "{}: {} bytes of JSON, expected at most {}", what, text.size(),
          limits.max_bytes);
  // The parser would take a zero byte for the end of the text and skip a byte order mark.
  size_t zero = text.find('\0');
  require(zero == text.npos, ErrorKind::bad_file, "{}: not valid JSON at byte {}: a zero byte", what, zero);
  require(!text.starts_with("\xef\xbb\xbf"), ErrorKind::bad_file, "{}: not valid JSON at byte 0: a byte order mark", what);
  TreeBuilder builder(what, limits.max_depth);
  Json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

Json read_json_file(const std::string& path, const JsonLimits& limits) { return parse_json(read_text_file(path, limits.max_bytes), path, limits); }

std::string excerpt(const Json& value) {
  std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  return text.size() <= 60 ? text : text.substr(0, 57) + "...";
}

JsonObject::JsonObject(Json object, std::string what, ErrorKind kind) : object_(std::move(object)), what_(std::move(what)), kind_(kind) {
  require(object_.is_object(), kind_, "{}: found {}, expected a JSON object", what_, excerpt(object_));
}

void JsonObject::fail_expected(const std::string& key, const std::string& expected) const {
  auto found = object_.find(key);
  fail(kind_, "{}: \"{}\" is {}, expected {}", what_, key, found == object_.end() ? "missing" : excerpt(*found), expected);
}

std::vector<std::string> JsonObject::keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object_.items()) keys.push_back(key);
  return keys;
}

bool JsonObject::has(const std::string& key) const {
  auto found = object_.find(key);
  return found != object_.end() && !found->is_null();
}

const Json& JsonObject::raw(const std::string& key) const {
  if (!has(key)) fail_expected(key, "a value");
  return object_.at(key);
}

namespace {

bool is_integer_in(const Json& value, int64_t lo, int64_t hi) {
  if (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t(INT64_MAX)) return false;
  return value.is_number_integer() && lo <= value.get<int64_t>() && value.get<int64_t>() <= hi;
}

}  // namespace

int64_t JsonObject::integer(const std::string& key, int64_t lo, int64_t hi) const {
  if (!has(key) || !is_integer_in(raw(key), lo, hi)) fail_expected(key, fmt::format("an integer from {} to {}", lo, hi));
  return raw(key).get<int64_t>();
}

int64_t JsonObject::integer(const std::string& key, int64_t lo, int64_t hi, int64_t fallback) const {
  return has(key) ? integer(key, lo, hi) : fallback;
}

std::vector<int64_t> JsonObject::integers(const std::string& key, int64_t lo, int64_t hi) const {
  auto in_range = [&](const Json& value) { return is_integer_in(value, lo, hi); };
  if (!has(key) || !raw(key).is_array() || !std::all_of(raw(key).begin(), raw(key).end(), in_range))
    fail_expected(key, fmt::format("a list of integers from {} to {}", lo, hi));
  return raw(key).get<std::vector<int64_t>>();
}

double JsonObject::number(const std::string& key, double lo, double hi) const {
  auto in_range = [&](const Json& value) { return value.is_number() && lo <= value.get<double>() && value.get<double>() <= hi; };
  if (!has(key) || !in_range(raw(key))) fail_expected(key, fmt::format("a number from {} to {}", lo, hi));
  return raw(key).get<double>();
}

double JsonObject::number(const std::string& key, double lo, double hi, double fallback) const { return has(key) ? number(key, lo, hi) : fallback; }

bool JsonObject::boolean(const std::string& key) const {
  if (!has(key) || !raw(key).is_boolean()) fail_expected(key, "true or false");
  return raw(key).get<bool>();
}

bool JsonObject::boolean(const std::string& key, bool fallback) const { return has(key) ? boolean(key) : fallback; }

std::string JsonObject::string(const std::string& key) const {
  if (!has(key) || !raw(key).is_string()) fail_expected(key, "a string");
  return raw(key).get<std::string>();
}

std::string JsonObject::string(const std::string& key, const std::string& fallback) const { return has(key) ? string(key) : fallback; }

}  // namespace hayate
