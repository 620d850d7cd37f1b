// Completion for fish: one line an option.
#include <fmt/format.h>

#include "completion.h"

namespace hayate::cli {

namespace {

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string value_of(const OptionDoc& option) {
  if (option.is_file) return " -r -F";
  if (!option.choices.empty()) return fmt::format(" -x -a {}", quoted(fmt::format("{}", fmt::join(option.choices, " "))));
  return option.takes_value() ? " -x" : " -f";
}

std::string line_of(const std::string& condition, const OptionDoc& option) {
  std::string text = fmt::format("complete -c hayate -n {}", quoted(condition));
  if (!option.positional)
    for (const std::string& name : option.names) text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  return text + value_of(option) + " -d " + quoted(option.help) + "\n";
}

// `here`: the condition under which this command is being typed.
std::string lines_of(const CommandDoc& doc, const std::string& here) {
  std::string text;
  for (const OptionDoc& option : doc.options)
    if (!option.positional || option.is_file || !option.choices.empty()) text += line_of(here, option);
  for (const CommandDoc& nested : doc.commands) {
    const std::string seen = "__fish_seen_subcommand_from " + nested.word();
    text += fmt::format("complete -c hayate -n {} -a {} -d {}\n", quoted(here + "; and not " + seen), nested.word(), quoted(nested.summary));
    text += lines_of(nested, here + "; and " + seen);
  }
  return text;
}

}  // namespace

std::string fish_completion(const CommandDoc& doc) {
  std::string text = "# fish completion for hayate, written by `hayate completion fish`\ncomplete -c hayate -f\n";
  for (const OptionDoc& option : doc.options) text += line_of("__fish_use_subcommand", option);
  for (const CommandDoc& command : doc.commands) {
    text += fmt::format("complete -c hayate -n __fish_use_subcommand -a {} -d {}\n", command.word(), quoted(command.summary));
    text += lines_of(command, "__fish_seen_subcommand_from " + command.word());
  }
  return text;
}

}  // namespace hayate::cli
