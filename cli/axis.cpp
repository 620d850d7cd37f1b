// Lists and ranges of values.
#include "axis.h"

#include <cmath>
#include <optional>
#include <string_view>

#include "table.h"

namespace hayate::cli {

namespace {

constexpr const char* form = "AXIS=VALUE,VALUE,... as in steps=4,10,30";

std::string trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t"), last = text.find_last_not_of(" \t");
  return begin == text.npos ? "" : std::string(text.substr(begin, last + 1 - begin));
}

// Takes the quoted value that `text` begins with, and blanks after it.
std::optional<std::string> take_quoted(std::string_view& text) {
  std::string value;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] != '"') {
      value += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '"') {
      value += text[i++];
    } else {
      text.remove_prefix(std::min(text.find_first_not_of(" \t", i + 1), text.size()));
      return value;
    }
  }
  return {};
}

template <class T>
std::optional<T> number_of(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

struct RangeText {
  std::string_view first, last, step;
};

std::optional<RangeText> split_range(std::string_view text) {
  double first;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), first);
  if (error != std::errc{} || end == text.data() + text.size() || *end != '-') return {};
  const size_t dash = size_t(end - text.data()), colon = text.find(':', dash);
  const RangeText range{text.substr(0, dash), text.substr(dash + 1, colon == text.npos ? colon : colon - dash - 1),
                        colon == text.npos ? "1" : text.substr(colon + 1)};
  if (!number_of<double>(range.last) || !number_of<double>(range.step)) return {};
  return range;
}

// first, first + step, ... up to last, as texts.
template <class T>
std::vector<std::string> expanded(const std::string& option, std::string_view text, T first, T last, T step) {
  if (!(first <= last) || !(step > 0)) refuse("{}: expected FIRST-LAST or FIRST-LAST:STEP, upwards, got \"{}\"", option, text);
  const double count =
      std::floor(double(last - first) / double(step) * (1 + 1e-12)) + 1;  // 0.2-1:0.2 ends with 1 although 0.8 / 0.2 is a little less than 4
  if (!(count <= double(most_cells))) refuse("{}: \"{}\" are more than {} values", option, text, most_cells);
  std::vector<std::string> values;
  for (size_t i = 0; i < size_t(count); ++i) {
    const T value = first + T(i) * step;
    if constexpr (std::is_integral_v<T>)
      values.push_back(fmt::to_string(value));
    else
      values.push_back(fmt::format("{:.10g}", value));
  }
  return values;
}

}  // namespace

Axis parse_axis(const std::string& option, const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == text.npos || equals == 0) refuse("{}: expected {}, got \"{}\"", option, form, text);
  Axis axis{.name = trimmed(std::string_view(text).substr(0, equals)), .values = {}};
  std::string_view rest = std::string_view(text).substr(equals + 1);
  for (bool more = true; more;) {
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    if (rest.starts_with('"')) {
      const std::optional<std::string> value = take_quoted(rest);
      if (!value || !(rest.empty() || rest.front() == ','))
        refuse("{}: expected {}; after a value in quotes a comma, got \"{}\"", option, form, text);
      axis.values.push_back(*value);
    } else {
      axis.values.push_back(trimmed(rest.substr(0, rest.find(','))));
      if (axis.values.back().empty()) refuse("{}: value {} of {} is empty; \"\" in quotes may be", option, axis.values.size(), axis.name);
      rest.remove_prefix(std::min(rest.find(','), rest.size()));
    }
    more = !rest.empty();
    if (more) rest.remove_prefix(1);
  }
  return axis;
}

Axis with_ranges(const std::string& option, const Axis& axis) {
  Axis all{.name = axis.name, .values = {}};
  for (const std::string& text : axis.values) {
    std::vector<std::string> values{text};
    if (const std::optional<RangeText> range = split_range(text)) {
      const auto first = number_of<uint64_t>(range->first), last = number_of<uint64_t>(range->last), step = number_of<uint64_t>(range->step);
      values = first && last && step
                   ? expanded(option, text, *first, *last, *step)
                   : expanded(option, text, *number_of<double>(range->first), *number_of<double>(range->last), *number_of<double>(range->step));
    }
    all.values.insert(all.values.end(), values.begin(), values.end());
    if (all.values.size() > most_cells) refuse("{}: {} has more than {} values", option, axis.name, most_cells);
  }
  return all;
}

}  // namespace hayate::cli
