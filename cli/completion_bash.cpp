// Completion for bash, which needs nothing of the package bash-completion.
#include <fmt/format.h>

#include <algorithm>

#include "completion.h"

namespace hayate::cli {

namespace {

std::string words_of(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); }

bool takes_paths(const CommandDoc& doc) {
  return std::ranges::any_of(doc.options, [](const OptionDoc& o) { return o.positional && o.is_file; });
}

// What follows an option that takes a value.
std::string value_case(const std::string& word, const OptionDoc& option) {
  std::vector<std::string> patterns;
  for (const std::string& name : option.names) patterns.push_back(word + "/" + name);
  std::string action = option.is_file           ? "_hayate_paths; "
                       : option.choices.empty() ? ""
                                                : fmt::format("_hayate_words \"{}\"; ", words_of(option.choices));
  return fmt::format("    {}) {}return ;;\n", fmt::join(patterns, "|"), action);
}

}  // namespace

std::string bash_completion(const CommandDoc& doc) {
  std::vector<std::string> commands, own;
  for (const CommandDoc& command : doc.commands) commands.push_back(command.word());
  for (const OptionDoc& option : doc.options) own.insert(own.end(), option.names.begin(), option.names.end());
  std::string values, options, paths;
  for (const CommandDoc& nested : doc.commands) {
    const CommandDoc command = flattened(nested);
    std::vector<std::string> names = {"--help"}, fixed;
    for (const OptionDoc& option : command.options) {
      if (option.positional) {
        fixed.insert(fixed.end(), option.choices.begin(), option.choices.end());
        continue;
      }
      names.insert(names.end(), option.names.begin(), option.names.end());
      if (option.takes_value()) values += value_case(command.word(), option);
    }
    options += fmt::format("    {}/-*) _hayate_words \"{}\" ;;\n", command.word(), words_of(names));
    if (!fixed.empty()) paths += fmt::format("    {}/*) _hayate_words \"{}\" ;;\n", command.word(), words_of(fixed));
    if (takes_paths(command)) paths += fmt::format("    {}/*) _hayate_paths ;;\n", command.word());
  }
  return fmt::format(R"(# bash completion for hayate, written by `hayate completion bash`
_hayate_words() {{ mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current"); }}
_hayate_paths() {{
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -f -- "$current")
}}
_hayate() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}} command=${{COMP_WORDS[1]}}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    _hayate_words "{} {}"
    return
  fi
  case $command/$previous in
{}  esac
  case $command/$current in
{}{}  esac
}}
complete -F _hayate hayate
)",
                     words_of(commands), words_of(own), values, options, paths);
}

}  // namespace hayate::cli
