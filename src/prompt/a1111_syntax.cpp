// One pass over the characters. Closing a bracket multiplies the weights of all texts since it was opened.
#include "prompt/a1111_syntax.h"

#include "core/error.h"
#include "prompt/words.h"
#include "tokenizer/prompt_characters.h"

namespace hayate {

namespace {

constexpr std::u32string_view break_word = U"BREAK", special = U"\\()[]:";
constexpr double more = 1.1, less = 1 / 1.1;

bool contains(std::u32string_view characters, char32_t c) { return characters.find(c) != characters.npos; }

// `:1.3)`, with or without blanks around the number.
struct ClosingWeight {
  size_t length = 0;  // in characters; 0: there is none
  double weight = 0;
};

ClosingWeight match_closing_weight(std::u32string_view text) {
  if (!text.starts_with(U':')) return {};
  size_t start = skip_spaces(text, 1), end = start;
  if (end < text.size() && contains(U"+-", text[end])) ++end;
  size_t digits = end;
  while (end < text.size() && contains(U".0123456789", text[end])) ++end;
  size_t close = skip_spaces(text, end);
  if (end == digits || close == text.size() || text[close] != U')') return {};
  std::string number = to_utf8(text.substr(start, end - start));
  std::optional<double> weight = parse_weight(number);
  require(weight.has_value(), ErrorKind::usage, "the prompt gives the weight \"{:.60}\", which is not a number", number);
  return {close + 1, *weight};
}

// A text without special characters, BREAK apart from what surrounds it.
void add_text(std::u32string_view text, std::vector<WeightedText>& texts) {
  size_t start = 0;
  for (size_t at; (at = find_word(text, break_word, start)) != text.npos; start = skip_spaces(text, at + break_word.size())) {
    texts.push_back({to_utf8(trim_end(text.substr(start, at - start))), 1});
    texts.push_back({to_utf8(break_word), -1});
  }
  texts.push_back({to_utf8(text.substr(start)), 1});
}

std::vector<WeightedText> merge_equal_weights(std::vector<WeightedText> texts) {
  std::vector<WeightedText> merged;
  for (WeightedText& t : texts)
    if (!merged.empty() && merged.back().weight == t.weight)
      merged.back().text += t.text;
    else
      merged.push_back(std::move(t));
  return merged;
}

}  // namespace

bool is_break(const WeightedText& t) { return t.weight == -1 && t.text == "BREAK"; }

std::vector<WeightedText> parse_a1111(std::string_view prompt) {
  std::u32string characters = prompt_characters(prompt);
  std::u32string_view rest = characters;
  std::vector<WeightedText> texts;
  std::vector<size_t> round, square;  // of each open bracket, the first text within
  auto multiply = [&](size_t first, double factor) {
    for (size_t i = first; i < texts.size(); ++i) texts[i].weight *= factor;
  };
  auto open = [&](std::vector<size_t>& brackets) {
    require(round.size() + square.size() < max_nested_brackets, ErrorKind::usage, "the prompt has more than {} brackets open at once",
            max_nested_brackets);
    brackets.push_back(texts.size());
  };
  auto close = [&](std::vector<size_t>& brackets, double factor) {
    multiply(brackets.back(), factor);
    brackets.pop_back();
  };

  while (!rest.empty()) {
    char32_t c = rest[0];
    size_t length = 1;
    if (ClosingWeight closing = round.empty() ? ClosingWeight{} : match_closing_weight(rest); closing.length > 0) {
      close(round, closing.weight);
      length = closing.length;
    } else if (c == U'\\') {
      bool escapes = rest.size() > 1 && contains(U"\\()[]", rest[1]);
      length += escapes;
      texts.push_back({to_utf8(rest.substr(1, length - 1)), 1});
    } else if (c == U'(') {
      open(round);
    } else if (c == U'[') {
      open(square);
    } else if (c == U')' && !round.empty()) {
      close(round, more);
    } else if (c == U']' && !square.empty()) {
      close(square, less);
    } else {
      length = std::max<size_t>(std::min(rest.find_first_of(special), rest.size()), 1);
      add_text(rest.substr(0, length), texts);
    }
    rest.remove_prefix(length);
  }
  for (size_t first : round) multiply(first, more);
  for (size_t first : square) multiply(first, less);
  texts = merge_equal_weights(std::move(texts));
  require_finite_weights(texts);
  return texts;
}

}  // namespace hayate
