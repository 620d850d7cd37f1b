// What would need another prompt in some steps, or several predictions a step.
#include "core/error.h"
#include "prompt/a1111_networks.h"
#include "prompt/a1111_syntax.h"
#include "prompt/words.h"
#include "tokenizer/prompt_characters.h"

namespace hayate {

namespace {

[[noreturn]] void refuse(std::u32string_view found, const char* what) {
  constexpr size_t shown = 60;
  std::string text = to_utf8(found.substr(0, shown)) + (found.size() > shown ? "..." : "");
  fail(ErrorKind::unsupported, "the prompt has \"{}\": {}", text, what);
}

bool is_step_number(std::u32string_view text) {
  text = trim_end(text.substr(skip_spaces(text, 0)));
  return text.find_first_not_of(U"+-.0123456789eE") == text.npos && parse_weight(to_utf8(text)).has_value();
}

// [from:to:10], [to:10] and [one|other]
void refuse_changes(std::u32string_view text) {
  struct Open {
    size_t at;
    size_t last_colon = 0;
    int colons = 0;
    bool has_bar = false;
  };
  std::vector<Open> open;
  for (size_t i = 0; i < text.size(); ++i) {
    char32_t c = text[i];
    if (c == U'\\') ++i;
    if (c == U'(' || c == U'[') open.push_back({.at = i});
    if (open.empty()) continue;
    Open& inner = open.back();
    if (c == U':') inner.last_colon = i, ++inner.colons;
    if (c == U'|') inner.has_bar = true;
    if (c != U')' && c != U']') continue;
    if (text[inner.at] != (c == U')' ? U'(' : U'[')) {
      open.clear();  // no bracket around one without a partner means anything
      continue;
    }
    std::u32string_view found = text.substr(inner.at, i + 1 - inner.at);
    if (c == U']' && inner.has_bar) refuse(found, "a prompt that alternates between steps is not supported");
    if (c == U']' && (inner.colons == 1 || inner.colons == 2) && is_step_number(text.substr(inner.last_colon + 1, i - inner.last_colon - 1)))
      refuse(found, "a prompt that changes after a step is not supported");
    open.pop_back();
  }
}

// AND, and `:1.5` at the end
void refuse_combinations(std::u32string_view text) {
  if (size_t at = find_word(text, U"AND"); at != text.npos) refuse(text.substr(at, 3), "prompts joined by AND are not supported");
  text = trim_end(text);
  size_t colon = text.rfind(U':');
  if (colon == text.npos) return;
  std::u32string_view number = text.substr(skip_spaces(text, colon + 1));
  if (number.find_first_not_of(U"+-.0123456789") == number.npos && parse_weight(to_utf8(number)))
    refuse(text.substr(colon), "the weight of a whole prompt, outside of brackets, is not supported");
}

}  // namespace

void refuse_unsupported_a1111(std::string_view prompt, bool negative) {
  std::u32string text = prompt_characters(prompt);
  if (const std::vector<PromptLora> loras = negative ? loras_in(prompt) : std::vector<PromptLora>(); !loras.empty())
    fail(ErrorKind::unsupported, "the negative prompt has \"<lora:{:.60}\": LoRAs belong into the prompt", loras[0].name);
  refuse_changes(text);
  if (!negative) refuse_combinations(text);
}

}  // namespace hayate
