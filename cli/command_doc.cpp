// Reads what was declared back from CLI11.
#include "command_doc.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

#include "table.h"

namespace hayate::cli {

namespace {

OptionDoc describe_option(const CLI::Option& option) {
  OptionDoc doc;
  doc.positional = option.get_positional();
  for (const std::string& name : option.get_snames()) doc.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) doc.names.push_back("--" + name);
  if (doc.positional) doc.names = {option.get_name(true)};
  doc.placeholder = option.get_option_text();
  doc.help = option.get_description();
  doc.group = doc.positional ? "Arguments" : option.get_group();
  doc.repeated = doc.positional && option.get_expected_max() > 1;
  doc.choices = choices_of(option);
  static const std::vector<std::string> paths = {"FILE", "FOLDER", "PATH", "MODEL", "OUTPUT", "A", "B"};
  doc.is_file = std::ranges::find(paths, doc.positional ? doc.names[0] : doc.placeholder) != paths.end();
  return doc;
}

}  // namespace

std::string OptionDoc::heading() const { return fmt::format("{}{}{}", fmt::join(names, ", "), placeholder.empty() ? "" : " ", placeholder); }

std::vector<std::string> CommandDoc::words() const {
  std::vector<std::string> all;
  for (const CommandDoc& command : commands) all.push_back(command.word());
  return all;
}

std::vector<std::string> CommandDoc::groups() const {
  std::vector<std::string> all;
  for (const OptionDoc& option : options)
    if (std::ranges::find(all, option.group) == all.end()) all.push_back(option.group);
  return all;
}

std::string CommandDoc::usage() const {
  std::string text = name + (commands.empty() ? "" : " SUBCOMMAND");
  if (std::ranges::any_of(options, [](const OptionDoc& o) { return !o.positional; })) text += " [OPTIONS]";
  for (const OptionDoc& option : options)
    if (option.positional) text += " " + option.names[0] + (option.repeated ? "..." : "");
  return text;
}

CommandDoc describe(const CLI::App& app) {
  CommandDoc doc;
  for (const CLI::App* part = &app; part; part = part->get_parent()) doc.name = part->get_name() + (part == &app ? "" : " ") + doc.name;
  std::string description = app.get_description();
  size_t line = std::min(description.find('\n'), description.size());
  doc.summary = description.substr(0, line);
  doc.about = description.substr(std::min(description.find_first_not_of('\n', line), description.size()));
  doc.footer = app.get_footer();
  for (bool positional : {true, false})
    for (const CLI::Option* option : app.get_options())
      if (option->get_positional() == positional && !option->get_group().empty()) doc.options.push_back(describe_option(*option));
  for (const CLI::App* command : app.get_subcommands({})) doc.commands.push_back(describe(*command));
  return doc;
}

std::vector<std::string> paragraphs(const std::string& text) {
  std::vector<std::string> all;
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find("\n\n", at), text.size());
    all.push_back(text.substr(at, end - at));
    at = text.find_first_not_of('\n', end);
  }
  return all;
}

bool is_literal(const std::string& paragraph) { return paragraph.starts_with(' ') || paragraph.find("\n ") != paragraph.npos; }

}  // namespace hayate::cli
