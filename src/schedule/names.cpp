// One key for all spellings of a name.
#include "schedule/names.h"

#include <fmt/format.h>

#include "hayate/suggest.h"

namespace hayate {

std::string name_key(std::string_view name) {
  std::string key;
  for (char c : name) {
    if (c == '+') key += 'p';
    if (c >= 'A' && c <= 'Z') key += char(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) key += c;
  }
  return key;
}

void Names::add(std::initializer_list<const char*> names) {
  for (std::string_view name : names)
    if (!name.empty()) by_key_.emplace(name_key(name), ours_.size());
  ours_.emplace_back(*names.begin());
}

std::optional<size_t> Names::find(std::string_view name) const {
  auto found = by_key_.find(name_key(name));
  return found == by_key_.end() ? std::nullopt : std::optional(found->second);
}

std::string Names::hint(std::string_view unknown) const {
  std::vector<std::string> keys;
  for (const auto& [key, thing] : by_key_) keys.push_back(key);
  const std::string meant = closest(name_key(unknown), keys);
  const std::string all = fmt::format("here are: {}", fmt::join(ours_, ", "));
  return meant.empty() ? "t" + all : fmt::format("did you mean {}? T{}", ours_[by_key_.at(meant)], all);
}

}  // namespace hayate
