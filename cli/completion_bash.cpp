// Completion for bash, which needs nothing of the package bash-completion.
#include <fmt/format.h>

#include "completion.h"

namespace hayate::cli {

namespace {

std::string words_of(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); }

// What is offered after an option that takes a value, and for a word. A command of a command has both words in its patterns: bench_quality.
struct Cases {
  std::string values, words, nested;
};

void add_value(const std::string& command, const OptionDoc& option, Cases& cases) {
  std::vector<std::string> patterns;
  for (const std::string& name : option.names) patterns.push_back(command + "/" + name);
  std::string action = option.is_file           ? "_hayate_paths; "
                       : option.choices.empty() ? ""
                                                : fmt::format("_hayate_words \"{}\"; ", words_of(option.choices));
  cases.values += fmt::format("    {}) {}return ;;\n", fmt::join(patterns, "|"), action);
}

void add_command(const CommandDoc& doc, const std::string& command, Cases& cases) {
  std::vector<std::string> names = {"--help"}, fixed = doc.words();
  bool paths = false;
  for (const OptionDoc& option : doc.options) {
    if (option.positional) {
      fixed.insert(fixed.end(), option.choices.begin(), option.choices.end());
      paths |= option.is_file;
      continue;
    }
    names.insert(names.end(), option.names.begin(), option.names.end());
    if (option.takes_value()) add_value(command, option, cases);
  }
  cases.words += fmt::format("    {}/-*) _hayate_words \"{}\" ;;\n", command, words_of(names));
  if (!fixed.empty()) cases.words += fmt::format("    {}/*) _hayate_words \"{}\" ;;\n", command, words_of(fixed));
  if (paths) cases.words += fmt::format("    {}/*) _hayate_paths ;;\n", command);
  if (!doc.commands.empty()) cases.nested += fmt::format("    {}) ((COMP_CWORD > 2)) && command+=_${{COMP_WORDS[2]}} ;;\n", command);
  for (const CommandDoc& nested : doc.commands) add_command(nested, command + "_" + nested.word(), cases);
}

}  // namespace

std::string bash_completion(const CommandDoc& doc) {
  std::vector<std::string> own;
  for (const OptionDoc& option : doc.options) own.insert(own.end(), option.names.begin(), option.names.end());
  Cases cases;
  for (const CommandDoc& command : doc.commands) add_command(command, command.word(), cases);
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
  case $command in
{}  esac
  case $command/$previous in
{}  esac
  case $command/$current in
{}  esac
}}
complete -F _hayate hayate
)",
                     words_of(doc.words()), words_of(own), cases.nested, cases.values, cases.words);
}

}  // namespace hayate::cli
