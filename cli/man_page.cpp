// groff: a line that begins with a dot is a request, a backslash begins an escape, a bare dash becomes a hyphen.
#include "man_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace hayate::cli {

namespace {

std::string escaped(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    bool starts_line = i == 0 || text[i - 1] == '\n';
    if (starts_line && (text[i] == '.' || text[i] == '\'')) out += "\\&";
    if (text[i] == '\\')
      out += "\\e";
    else if (text[i] == '-')
      out += "\\-";
    else
      out += text[i];
  }
  return out;
}

std::string text_of(const std::string& text) {
  std::string out;
  for (const std::string& paragraph : paragraphs(text))
    out += is_literal(paragraph) ? ".PP\n.nf\n" + escaped(paragraph) + "\n.fi\n" : ".PP\n" + escaped(paragraph) + "\n";
  return out;
}

std::string options_of(const CommandDoc& doc) {
  std::string out;
  for (const std::string& group : doc.groups()) {
    out += ".PP\n" + escaped(group) + ":\n";
    for (const OptionDoc& option : doc.options) {
      if (option.group != group) continue;
      std::vector<std::string> names;
      for (const std::string& name : option.names) names.push_back("\\fB" + escaped(name) + "\\fR");
      std::string value = option.placeholder.empty() ? "" : " \\fI" + escaped(option.placeholder) + "\\fR";
      out += fmt::format(".TP\n{}{}\n{}\n", fmt::join(names, ", "), value, escaped(option.help));
    }
  }
  return out;
}

std::string command_section(const CommandDoc& doc) {
  std::string out = fmt::format(".SS {}\n{}\n{}.PP\n\\fB{}\\fR\n{}", escaped(doc.name), escaped(doc.summary), text_of(doc.about),
                                escaped(doc.usage()), options_of(doc));
  for (const CommandDoc& command : doc.commands) out += command_section(command);
  return out;
}

}  // namespace

std::string man_page(const CommandDoc& doc, const std::string& version) {
  std::string summary = doc.summary;
  while (summary.ends_with('.')) summary.pop_back();
  std::string out = fmt::format(".\\\" Written by `hayate man`.\n.TH HAYATE 1 \"\" \"hayate {}\" \"User Commands\"\n.SH NAME\n{} \\- {}\n", version,
                                escaped(doc.name), escaped(summary));
  out += fmt::format(".SH SYNOPSIS\n\\fB{}\\fR\n.SH DESCRIPTION\n{}{}", escaped(doc.usage()), text_of(doc.about), options_of(doc));
  out += ".SH SUBCOMMANDS\n";
  for (const CommandDoc& command : doc.commands) out += command_section(command);
  out += ".SH EXIT STATUS\n" + text_of(doc.footer.substr(doc.footer.find('\n') + 1));
  return out;
}

}  // namespace hayate::cli
