// THE TABLE of placeholders, and how they are filled in.
#include "output_names.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>

#include "table.h"

namespace hayate::cli {

namespace {

constexpr size_t most_bytes = 160;  // of one field: a file name has 255

struct Fill {
  const Picture& picture;
  size_t index;
  const NameFields& fields;
};

// Runs of anything but letters, digits, dots and underscores become one dash, of which none is first or last; nor is a dot.
// Characters beyond ASCII stay, whole. At most `longest` characters.
std::string as_name(const std::string& text, size_t longest) {
  std::string name;
  size_t characters = 0;
  for (size_t i = 0, end; i < text.size() && characters < longest; i = end) {
    end = i + 1;
    while (end < text.size() && (uint8_t(text[end]) & 0xc0) == 0x80) ++end;  // to the end of a UTF-8 character
    if (name.size() + (end - i) > most_bytes) break;
    bool keep = std::isalnum(uint8_t(text[i])) || text[i] == '.' || text[i] == '_' || uint8_t(text[i]) >= 0x80;
    if (!keep && name.ends_with('-')) continue;
    name += keep ? text.substr(i, end - i) : "-";
    ++characters;
  }
  size_t begin = name.find_first_not_of("-."), last = name.find_last_not_of("-.");
  return begin == name.npos ? "" : name.substr(begin, last + 1 - begin);
}

std::string or_else(std::string name, const char* fallback) { return name.empty() ? fallback : name; }

struct Placeholder {
  const char* name;
  std::string (*fill)(const Fill&, size_t longest);
};
constexpr Placeholder table[] = {
    {"seed", [](const Fill& f, size_t) { return fmt::to_string(f.picture.seed); }},
    {"index", [](const Fill& f, size_t) { return fmt::to_string(f.index + 1); }},
    {"prompt", [](const Fill& f, size_t longest) { return or_else(as_name(f.picture.prompt, longest), "picture"); }},
    {"width", [](const Fill& f, size_t) { return fmt::to_string(f.fields.width); }},
    {"height", [](const Fill& f, size_t) { return fmt::to_string(f.fields.height); }},
    {"steps", [](const Fill& f, size_t) { return fmt::to_string(f.fields.steps); }},
    {"model", [](const Fill& f, size_t longest) { return or_else(as_name(f.fields.model, longest), "model"); }},
    {"date", [](const Fill& f, size_t) { return fmt::format("{:%Y-%m-%d}", fmt::localtime(f.fields.now)); }},
    {"time", [](const Fill& f, size_t) { return fmt::format("{:%H-%M-%S}", fmt::localtime(f.fields.now)); }},
};

// Walks over the pattern: `text` gets what stands for itself, `placeholder` a row of the table and the most characters to take.
void parse_pattern(const std::string& pattern, const std::function<void(std::string_view)>& text,
                   const std::function<void(const Placeholder&, size_t)>& placeholder) {
  for (size_t at = 0; at < pattern.size();) {
    size_t brace = std::min(pattern.find_first_of("{}", at), pattern.size());
    text(std::string_view(pattern).substr(at, brace - at));
    if (brace == pattern.size()) break;
    size_t close = pattern.find('}', brace);
    if (pattern[brace] == '}' || close == pattern.npos) refuse("--output: a brace without its partner in \"{}\"", pattern);
    std::string inside = pattern.substr(brace + 1, close - brace - 1), name = inside.substr(0, inside.find(':'));
    auto found = std::ranges::find(table, std::string_view(name), &Placeholder::name);
    if (found == std::end(table)) refuse("--output: there is no placeholder {{{}}}; there are {}", inside, placeholders());
    bool limited = name.size() < inside.size();
    placeholder(*found, limited ? parse_number<size_t>("--output: {" + inside + "}", inside.substr(name.size() + 1), 1, most_bytes) : most_bytes);
    at = close + 1;
  }
}

std::string numbered(const std::string& path, size_t index) {
  std::filesystem::path p = path;
  return p.replace_filename(fmt::format("{}-{}{}", p.stem().string(), index + 1, p.extension().string()));
}

}  // namespace

std::string placeholders() {
  std::string all;
  for (const Placeholder& p : table) all += fmt::format("{}{{{}}}", all.empty() ? "" : ", ", p.name);
  return all;
}

void check_pattern(const std::string& pattern) {
  std::string extension = std::filesystem::path(pattern).extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  std::vector<std::string> known = image_extensions();
  if (std::ranges::find(known, extension) == known.end())
    refuse("--output: expected a name that ends in {}, got \"{}\"", fmt::join(known, ", "), pattern);
  parse_pattern(
      pattern, [](std::string_view) {}, [](const Placeholder&, size_t) {});
}

std::vector<std::string> output_names(const std::string& pattern, const std::vector<Picture>& pictures, const NameFields& fields) {
  std::vector<std::string> names;
  for (size_t i = 0; i < pictures.size(); ++i) {
    std::string& name = names.emplace_back();
    const Fill fill{pictures[i], i, fields};
    parse_pattern(
        pattern, [&](std::string_view text) { name += text; }, [&](const Placeholder& p, size_t longest) { name += p.fill(fill, longest); });
  }
  bool all_differ = std::set<std::string>(names.begin(), names.end()).size() == names.size();
  for (size_t i = 0; i < names.size() && !all_differ; ++i) names[i] = numbered(names[i], i);
  return names;
}

}  // namespace hayate::cli
