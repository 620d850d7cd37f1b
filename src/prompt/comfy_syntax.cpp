// Groups of the outermost brackets, then the same within each.
#include "prompt/comfy_syntax.h"

#include "core/error.h"
#include "prompt/words.h"
#include "tokenizer/prompt_characters.h"

namespace hayate {

namespace {

// Stand for \( and \) until brackets are matched. Beyond Unicode, so that no prompt has them.
constexpr char32_t escaped_open = 0x110000, escaped_close = 0x110001;

std::u32string hide_escapes(std::u32string_view text) {
  std::u32string hidden;
  for (size_t i = 0; i < text.size(); ++i) {
    char32_t next = i + 1 < text.size() ? text[i + 1] : 0;
    bool escapes = text[i] == U'\\' && (next == U'(' || next == U')');
    hidden += escapes ? (next == U'(' ? escaped_open : escaped_close) : text[i];
    i += escapes;
  }
  return hidden;
}

std::string reveal_escapes(std::u32string_view text) {
  std::u32string revealed(text);
  for (char32_t& c : revealed) c = c == escaped_open ? U'(' : c == escaped_close ? U')' : c;
  return to_utf8(revealed);
}

// "a (b (c)) d" -> "a ", "(b (c))", " d". A closing bracket too many makes the next opening one text.
std::vector<std::u32string_view> split_groups(std::u32string_view text) {
  std::vector<std::u32string_view> groups;
  size_t start = 0;
  auto end_group = [&](size_t end) {
    if (end > start) groups.push_back(text.substr(start, end - start));
    start = end;
  };
  int64_t level = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == U'(' && level++ == 0) end_group(i);
    if (text[i] == U')' && --level == 0) end_group(i + 1);
  }
  end_group(text.size());
  return groups;
}

void add_groups(std::u32string_view text, double weight, size_t depth, std::vector<WeightedText>& texts) {
  require(depth <= max_nested_brackets, ErrorKind::usage, "the prompt has more than {} brackets open at once", max_nested_brackets);
  for (std::u32string_view group : split_groups(text)) {
    if (group.size() < 2 || group.front() != U'(' || group.back() != U')') {
      texts.push_back({reveal_escapes(group), weight});
      continue;
    }
    group = group.substr(1, group.size() - 2);
    size_t colon = group.rfind(U':');
    std::optional<double> stated;
    if (colon != group.npos && colon > 0) stated = parse_weight(reveal_escapes(trim_end(group.substr(skip_spaces(group, colon + 1)))));
    add_groups(stated ? group.substr(0, colon) : group, stated.value_or(weight * 1.1), depth + 1, texts);
  }
}

}  // namespace

std::vector<WeightedText> parse_comfy(std::string_view prompt) {
  std::vector<WeightedText> texts;
  add_groups(hide_escapes(prompt_characters(prompt)), 1, 0, texts);
  require_finite_weights(texts);
  return texts;
}

}  // namespace hayate
