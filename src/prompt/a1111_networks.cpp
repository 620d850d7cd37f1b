// A network is <word:anything>, wherever it stands.
#include "prompt/a1111_networks.h"

#include <cmath>
#include <functional>

#include "core/error.h"
#include "prompt/weighted_text.h"
#include "prompt/words.h"
#include "tokenizer/prompt_characters.h"

namespace hayate {

namespace {

std::string shortened(std::u32string_view found) {
  constexpr size_t shown = 60;
  return to_utf8(found.substr(0, shown)) + (found.size() > shown ? "..." : "");
}

// Calls each(begin, colon, end) for what stands between < and >, the kind of network ending at the colon.
void for_networks(std::u32string_view text, const std::function<void(size_t, size_t, size_t)>& each) {
  for (size_t at = text.find(U'<'); at != text.npos; at = text.find(U'<', at + 1)) {
    size_t colon = at + 1;
    while (colon < text.size() && is_word_character(text[colon])) ++colon;
    if (colon == at + 1 || colon == text.size() || text[colon] != U':') continue;
    const size_t end = text.find(U'>', colon + 1);
    if (end == text.npos) return;  // nor is there one for any later <
    if (end == colon + 1) continue;
    each(at, colon, end);
    at = end;
  }
}

PromptLora parse_lora(std::u32string_view settings, std::u32string_view found) {
  PromptLora lora;
  std::optional<float> text, unet;
  auto number = [&](std::u32string_view given) {
    const std::optional<double> weight = parse_weight(to_utf8(given));
    require(weight && std::isfinite(float(*weight)), ErrorKind::usage, "the prompt has \"{}\": \"{:.60}\" is no finite number", shortened(found), to_utf8(given));
    return float(*weight);
  };
  size_t position = 0;
  while (true) {
    const size_t colon = settings.find(U':');
    const std::u32string_view item = settings.substr(0, colon);
    if (const size_t equals = item.find(U'='); equals != item.npos && position > 0) {
      const std::u32string_view key = item.substr(0, equals), value = item.substr(equals + 1);
      require(key == U"te" || key == U"unet", ErrorKind::unsupported, "the prompt has \"{}\": {:.60} is not supported; te and unet are", shortened(found), to_utf8(key));
      (key == U"te" ? text : unet) = number(value);
    } else if (position++ == 0) {
      lora.name = to_utf8(item);
    } else {
      require(position <= 3, ErrorKind::unsupported, "the prompt has \"{}\": expected a name and up to two weights", shortened(found));
      std::optional<float>& weight = position == 2 ? text : unet;
      if (!weight) weight = number(item);  // what is named counts more
    }
    if (colon == settings.npos) break;
    settings.remove_prefix(colon + 1);
  }
  lora.text_weight = text.value_or(1);
  lora.weight = unet.value_or(lora.text_weight);
  return lora;
}

}  // namespace

std::vector<PromptLora> loras_in(std::string_view prompt) {
  const std::u32string characters = prompt_characters(prompt);
  const std::u32string_view text = characters;
  std::vector<PromptLora> loras;
  for_networks(text, [&](size_t begin, size_t colon, size_t end) {
    const std::u32string_view found = text.substr(begin, end + 1 - begin);
    require(text.substr(begin + 1, colon - begin - 1) == U"lora", ErrorKind::unsupported, "the prompt has \"{}\": networks other than LoRA are not supported",
            shortened(found));
    loras.push_back(parse_lora(text.substr(colon + 1, end - colon - 1), found));
  });
  return loras;
}

std::string without_loras(std::string_view prompt) {
  static_cast<void>(loras_in(prompt));  // refuses what would be left out without a word
  const std::u32string characters = prompt_characters(prompt);
  const std::u32string_view text = characters;
  std::u32string rest;
  size_t from = 0;
  for_networks(text, [&](size_t begin, size_t, size_t end) {
    rest += text.substr(from, begin - from);
    from = end + 1;
  });
  return to_utf8(rest += text.substr(from));
}

}  // namespace hayate
