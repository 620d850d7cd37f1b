// How --help looks: one line a subcommand, one blank line between groups.
#pragma once
#include <CLI/CLI.hpp>
#include <sstream>
#include <string>

namespace hayate::cli {

class HelpFormat : public CLI::Formatter {
 public:
  HelpFormat() { column_width(32); }
  std::string make_group(std::string group, bool is_positional, std::vector<const CLI::Option*> options) const override {
    return CLI::Formatter::make_group(group, is_positional, options).substr(1);
  }
  std::string make_usage(const CLI::App* app, std::string name) const override { return "\n" + CLI::Formatter::make_usage(app, name) + "\n"; }
  std::string make_positionals(const CLI::App* app) const override {
    std::string text = CLI::Formatter::make_positionals(app);
    return text.empty() ? text : text + "\n";
  }
  std::string make_option_usage(const CLI::Option* positional) const override {
    return positional->get_name(true) + (positional->get_expected_max() > 1 ? "..." : "");
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    return option->get_option_text().empty() ? "" : " " + option->get_option_text();
  }
  std::string make_subcommand(const CLI::App* app) const override {
    std::string description = app->get_description();
    std::ostringstream line;
    CLI::detail::format_help(line, app->get_name(), description.substr(0, description.find('\n')), column_width_);
    return line.str();
  }
};

}  // namespace hayate::cli
