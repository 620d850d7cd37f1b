// The command line as data: --help, the man page and shell completion are all written from this.
#pragma once
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace hayate::cli {

struct OptionDoc {
  std::vector<std::string> names;  // "-m", "--model"; of a positional the one name without dashes
  std::string placeholder;         // of its value; empty: it takes none, or is a positional
  std::string help, group;
  bool positional = false, repeated = false;
  std::vector<std::string> choices;  // all values there are; empty: any
  bool is_file = false;              // the value is a path

  bool takes_value() const { return !placeholder.empty(); }
  std::string heading() const;  // "-m, --model MODEL"
};

struct CommandDoc {
  std::string name;           // "hayate generate"; the last word is what is typed
  std::string summary;        // one line
  std::string about, footer;  // paragraphs; those that begin with blanks are shown as they are
  std::vector<OptionDoc> options;
  std::vector<CommandDoc> commands;

  std::string word() const { return name.substr(name.rfind(' ') + 1); }
  std::vector<std::string> words() const;   // of its subcommands
  std::vector<std::string> groups() const;  // of options, in their order
  std::string usage() const;                // "hayate generate [OPTIONS] prompt..."
};

CommandDoc describe(const CLI::App&);

std::vector<std::string> paragraphs(const std::string& text);
bool is_literal(const std::string& paragraph);  // shown line by line

}  // namespace hayate::cli
