// Special tokens, normalization, splitting into words; the words go to the byte pair encoding.
#include "tokenizer/clip_tokenizer.h"

#include <algorithm>
#include <iterator>

#include "core/error.h"
#include "tokenizer/prompt_characters.h"
#include "tokenizer/tokenizer_settings.h"
#include "tokenizer/unicode.h"

namespace hayate {
namespace {

// White space is left alone: it only separates words.
std::u32string normalize(std::u32string_view text) { return lowercase(nfc(text)); }

// Calls on_text and on_special for the parts of `text` in order. Of special tokens that start at one place the longest counts.
template <class Specials, class OnText, class OnSpecial>
void split_at(std::u32string_view text, const Specials& longest_first, OnText&& on_text, OnSpecial&& on_special) {
  size_t start = 0, i = 0;
  while (i < text.size()) {
    auto found = std::find_if(longest_first.begin(), longest_first.end(), [&](const auto& s) { return s.matches(text, i); });
    if (found == longest_first.end()) {
      ++i;
      continue;
    }
    if (start < i) on_text(text.substr(start, i - start));
    on_special(*found);
    start = i += found->text.size();
  }
  if (start < text.size()) on_text(text.substr(start));
}

// The length of the match of 's|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+ at the start of `text`; 0: no match.
size_t match_word(std::u32string_view text) {
  for (std::u32string_view contraction : {U"'s", U"'t", U"'re", U"'ve", U"'m", U"'ll", U"'d"})
    if (text.starts_with(contraction)) return contraction.size();
  auto is_sign = [](char32_t c) { return !is_space(c) && !is_letter(c) && !is_number(c); };
  auto run_of = [&](auto&& is) { return size_t(std::find_if_not(text.begin(), text.end(), is) - text.begin()); };
  if (is_number(text.front())) return 1;
  return is_letter(text.front()) ? run_of(is_letter) : run_of(is_sign);
}

std::vector<std::u32string_view> split_into_words(std::u32string_view text) {
  std::vector<std::u32string_view> words;
  auto take = [&](size_t length) {
    words.push_back(text.substr(0, length));
    text.remove_prefix(length);
  };
  while (!text.empty()) {
    // CLIP's expression has these two as well. Where they get here they are not special tokens, and are cut in three.
    bool start = text.starts_with(U"<|startoftext|>"), end = text.starts_with(U"<|endoftext|>");
    if (start || end) {
      take(2);
      take(start ? 11 : 9);
      take(2);
    } else if (size_t length = match_word(text); length > 0) {
      take(length);
    } else {
      text.remove_prefix(1);
    }
  }
  return words;
}

constexpr auto longer = [](const auto& a, const auto& b) { return a.text.size() > b.text.size(); };

}  // namespace

ClipTokenizer::ClipTokenizer(const std::string& folder) : ClipTokenizer(folder, read_tokenizer_settings(folder)) {}

ClipTokenizer::ClipTokenizer(const std::string& folder, const TokenizerSettings& settings)
    : bpe_(folder + "/vocab.json", folder + "/merges.txt", settings.unknown), max_length_(settings.max_length) {
  auto id_of = [&](const std::string& token) {
    int32_t id = bpe_.find(token);
    require(id >= 0, ErrorKind::bad_file, "{}/vocab.json: lacks the special token \"{}\"", folder, token);
    return id;
  };
  for (const AddedToken& token : settings.added_tokens) {
    bool is_new = bpe_.find(token.text) < 0 && token.id == bpe_.size();
    int32_t id = is_new ? bpe_.add(token.text) : id_of(token.text);
    require(!token.id || *token.id == id, ErrorKind::bad_file,
            "{}: the special token \"{}\" is listed with the id {}, but the vocabulary has it at {}", folder, token.text, token.id.value_or(id), id);
    std::u32string text = from_utf8(token.text).value();
    if (token.normalized)
      normalized_.push_back({normalize(text), {id}});
    else
      verbatim_.push_back({text, {id}});
  }
  std::ranges::sort(verbatim_, longer);
  std::ranges::sort(normalized_, longer);
  bos_id_ = id_of(settings.bos);
  eos_id_ = id_of(settings.eos);
  pad_id_ = id_of(settings.pad);
}

bool ClipTokenizer::Special::matches(std::u32string_view in, size_t at) const {
  const size_t end = at + text.size();
  if (!in.substr(at).starts_with(text)) return false;
  return !(word_begins && at > 0 && is_word_character(in[at - 1])) && !(word_ends && end < in.size() && is_word_character(in[end]));
}

void ClipTokenizer::add_word(const std::string& word, int32_t first, int32_t count) {
  const std::optional<std::u32string> characters = from_utf8(word);
  require(characters && !std::ranges::all_of(*characters, is_space), ErrorKind::usage, "\"{:.60}\" is no word for prompts", replace_invalid_utf8(word));
  Special added{.text = normalize(*characters), .ids = {}, .word_begins = false, .word_ends = false};
  require(std::ranges::find(added_, added.text, &Special::text) == added_.end(), ErrorKind::usage, "the word \"{:.60}\" is added to the prompt's words twice", word);
  added.word_begins = is_word_character(added.text.front()), added.word_ends = is_word_character(added.text.back());
  for (int32_t i = 0; i < count; ++i) added.ids.push_back(first + i);
  added_.push_back(std::move(added));
  std::ranges::stable_sort(added_, longer);
}

TokenizedPrompt ClipTokenizer::encode(std::string_view prompt) const {
  std::vector<int32_t> ids = tokenize(prompt);
  size_t room = size_t(max_length_) - 2;
  TokenizedPrompt result;
  if (ids.size() > room) {
    std::vector<int32_t> known;
    std::copy_if(ids.begin() + ptrdiff_t(room), ids.end(), std::back_inserter(known), [&](int32_t id) { return id < bpe_.size(); });
    result.truncated = replace_invalid_utf8(bpe_.decode(known));
    if (result.truncated.ends_with(' ')) result.truncated.pop_back();
    ids.resize(room);
  }
  ids.insert(ids.begin(), bos_id_);
  ids.push_back(eos_id_);
  ids.resize(size_t(max_length_), pad_id_);
  result.ids = std::move(ids);
  return result;
}

std::vector<int32_t> ClipTokenizer::tokenize(std::string_view prompt) const {
  std::vector<int32_t> ids;
  for (const TokenizedPiece& piece : pieces(prompt)) ids.insert(ids.end(), piece.ids.begin(), piece.ids.end());
  return ids;
}

std::vector<TokenizedPiece> ClipTokenizer::pieces(std::string_view prompt) const {
  const std::u32string text = prompt_characters(prompt);
  std::vector<TokenizedPiece> all;
  auto open = [&]() -> TokenizedPiece& { return all.empty() || all.back().added ? all.emplace_back() : all.back(); };
  auto add_special = [&](const Special& s) {
    TokenizedPiece& piece = open();
    piece.text += to_utf8(s.text);
    piece.ids.insert(piece.ids.end(), s.ids.begin(), s.ids.end());
  };
  auto add_words = [&](std::u32string_view part) {
    TokenizedPiece& piece = open();
    piece.text += to_utf8(part);
    for (std::u32string_view word : split_into_words(part)) bpe_.encode(to_utf8(word), piece.ids);
  };
  auto add_added = [&](const Special& s) { all.push_back({to_utf8(s.text), s.ids, true}); };
  auto add_plain = [&](std::u32string_view part) { split_at(part, normalized_, add_words, add_special); };
  auto add_text = [&](std::u32string_view part) { split_at(std::u32string_view(normalize(part)), added_, add_plain, add_added); };
  split_at(text, verbatim_, add_text, add_special);
  return all;
}

}  // namespace hayate
