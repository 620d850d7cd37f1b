// Two columns: what to type, and what it does.
#include "help_text.h"

#include <fmt/format.h>

#include <sstream>

namespace hayate::cli {

namespace {

constexpr size_t columns = 80, indent = 24;

// Words in lines of at most `width` characters; lines after the first are indented.
std::string wrapped(const std::string& text, size_t width, size_t from) {
  std::istringstream words(text);
  std::string all;
  size_t used = 0;
  for (std::string word; words >> word; used += word.size()) {
    if (used > 0 && used + 1 + word.size() > width) {
      all += "\n" + std::string(from, ' ');
      used = 0;
    } else if (used > 0) {
      all += ' ';
      ++used;
    }
    all += word;
  }
  return all;
}

std::string row(const std::string& heading, const std::string& help) {
  std::string gap = heading.size() + 4 > indent ? "\n" + std::string(indent, ' ') : std::string(indent - 2 - heading.size(), ' ');
  return "  " + heading + gap + wrapped(help, columns - indent, indent) + "\n";
}

std::string text_of(const std::string& text) {
  std::string all;
  for (const std::string& paragraph : paragraphs(text)) all += (is_literal(paragraph) ? paragraph : wrapped(paragraph, columns, 0)) + "\n\n";
  return all;
}

std::string list_of(const std::vector<CommandDoc>& commands) {
  std::string text = "Subcommands:\n";
  for (const CommandDoc& command : commands) text += row(command.word(), command.summary);
  return text + "\n";
}

std::string without_last_line_end(std::string text) {
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

}  // namespace

std::string help_text(const CommandDoc& doc) {
  std::string text = doc.summary + "\n\n" + text_of(doc.about) + "Usage: " + doc.usage() + "\n\n";
  for (const std::string& group : doc.groups()) {
    text += group + ":\n";
    for (const OptionDoc& option : doc.options)
      if (option.group == group) text += row(option.heading(), option.help);
    text += "\n";
  }
  if (!doc.commands.empty()) text += list_of(doc.commands);
  return without_last_line_end(text + text_of(doc.footer));
}

std::string short_help(const CommandDoc& doc) { return without_last_line_end(doc.summary + "\n\n" + text_of(doc.about) + list_of(doc.commands)); }

}  // namespace hayate::cli
