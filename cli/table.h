// Declares the options of a subcommand: kinds of values, limits, help text. CLI11, which takes seconds to compile, stays behind it.
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "hayate/error.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace hayate::cli {

template <class... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> text, Args&&... args) {
  throw Error(ErrorKind::usage, fmt::format(text, std::forward<Args>(args)...));
}

// CLI11's own conversion takes octal, wraps negative numbers and lets NaN through ranges.
template <class T>
T parse_number(const std::string& option, const std::string& text, T low, T high) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= low && value <= high))
    refuse("{}: expected a {} from {} to {}, got \"{}\"", option, std::is_integral_v<T> ? "whole number" : "number", low, high, text);
  return value;
}

constexpr int largest_side = 16384;  // pixels

// Two whole numbers from `low` to largest_side; `form` tells how they are written.
std::array<int, 2> parse_pair(const std::string& option, const std::string& text, char separator, const char* form, int low);

// Adds options of the kinds that hayate has to one subcommand. A table is copied freely: it refers to the subcommand.
struct Table {
  CLI::App* app;
  std::string group;

  using Take = std::function<void(const std::string&)>;
  CLI::Option* text(const char* names, const char* placeholder, const std::string& help, Take take);
  template <class T>
  requires std::is_assignable_v<T&, const std::string&> CLI::Option* text(const char* names, const char* placeholder, const std::string& help,
                                                                          T& value) {
    return text(names, placeholder, help, [&value](const std::string& given) { value = given; });
  }
  template <class T, class V>
  CLI::Option* number(const char* names, const std::string& help, V& value, T low, T high) {
    std::string option = std::string(names).substr(std::string(names).find("--"));
    return text(names, "N", help, [=, &value](const std::string& given) { value = parse_number<T>(option, given, low, high); });
  }
  // `help` is followed by the choices and, unless it is empty, the fallback.
  CLI::Option* choice(const char* name, const std::string& help, const std::string& fallback, const std::vector<std::string>& among, Take take);
  CLI::Option* choice(const char* name, const std::string& help, const std::vector<std::string>& among, Take take) {
    return choice(name, help, "", among, std::move(take));
  }
  // The same for things with more names than are shown: `take` judges what was given.
  CLI::Option* named(const char* name, const std::string& help, const std::string& fallback, const std::vector<std::string>& among, Take take);
  CLI::Option* flag(const char* name, const std::string& help, std::function<void()> take);
  CLI::Option* flag(const char* name, const std::string& help, bool& value);
};

// What choice() takes, of a table of values by name.
template <class Value>
std::vector<std::string> keys_of(const std::map<std::string, Value>& names) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : names) keys.push_back(key);
  return keys;
}

CLI::Option* required(CLI::Option*);
CLI::Option* repeatable(CLI::Option*);         // given several times, with one value each
CLI::Option* several(CLI::Option*, int most);  // arguments
void exclusive(CLI::Option*, CLI::Option*);
void inseparable(CLI::Option*, CLI::Option*);
void needs(CLI::Option*, CLI::Option* other);  // is refused without it

// What choice() was given; empty for other options.
std::vector<std::string> choices_of(const CLI::Option&);

}  // namespace hayate::cli
