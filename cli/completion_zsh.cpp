// Completion for zsh, by _arguments.
#include <fmt/format.h>

#include <algorithm>

#include "completion.h"

namespace hayate::cli {

namespace {

// For a place between single quotes, inside [...] or after a colon.
std::string escaped(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '\'') {
      out += "'\\''";
      continue;
    }
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string value_of(const OptionDoc& option) {
  std::string action = option.is_file ? "_files" : option.choices.empty() ? " " : fmt::format("({})", fmt::join(option.choices, " "));
  return fmt::format(":{}:{}", escaped(option.positional ? option.names[0] : option.placeholder), action);
}

std::string argument(const OptionDoc& option) {
  if (option.positional) return fmt::format(" \\\n        '{}{}'", option.repeated ? "*" : "", value_of(option));
  std::string value = option.takes_value() ? value_of(option) : "", text;
  for (const std::string& name : option.names)
    text += fmt::format(" \\\n        '({}){}[{}]{}'", fmt::join(option.names, " "), name, escaped(option.help), value);
  return text;
}

std::string function_name(const CommandDoc& doc) {
  std::string name = "_" + doc.name;
  std::ranges::replace(name, ' ', '_');
  return name;
}

std::string function_of(const CommandDoc& doc) {
  std::string arguments, names, cases, nested;
  for (const OptionDoc& option : doc.options) arguments += argument(option);
  if (doc.commands.empty()) return fmt::format("{}() {{\n  _arguments -s '--help[print help]'{}\n}}\n", function_name(doc), arguments);
  for (const CommandDoc& command : doc.commands) {
    names += fmt::format("    '{}:{}'\n", command.word(), escaped(command.summary));
    cases += fmt::format("      {}) {} ;;\n", command.word(), function_name(command));
    nested += function_of(command);
  }
  return nested + fmt::format(R"({}() {{
  local curcontext=$curcontext state line
  local -a commands=(
{})
  _arguments -C{} \
        '1: :->command' '*:: :->rest'
  case $state in
    command) _describe subcommand commands ;;
    rest) case $line[1] in
{}    esac ;;
  esac
}}
)",
                              function_name(doc), names, arguments, cases);
}

}  // namespace

std::string zsh_completion(const CommandDoc& doc) {
  return fmt::format(R"(#compdef hayate
# zsh completion for hayate, written by `hayate completion zsh`
{}if [[ $funcstack[1] == _hayate ]]; then
  _hayate "$@"
else
  compdef _hayate hayate
fi
)",
                     function_of(doc));
}

}  // namespace hayate::cli
