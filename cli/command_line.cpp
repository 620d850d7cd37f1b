// The program's own options, the choice of the subcommand, and what is said where neither is known.
#include "command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <span>
#include <sstream>

#include "exit_code.h"
#include "hayate/hayate.h"
#include "hayate/suggest.h"
#include "help_text.h"
#include "output.h"
#include "revision.h"
#include "subcommands.h"
#include "table.h"

namespace hayate::cli {

namespace {

class HelpFormat : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const override { return help_text(describe(*app)); }
};

// Every pointer into the app stays good while the run function holds this.
struct CommandLine {
  CLI::App app{"Draws pictures from text.\n\n  hayate generate \"a castle on a hill at night\"\n\nhayate SUBCOMMAND --help tells more.", "hayate"};
  std::function<int()> run;

  CommandLine() {
    app.formatter(std::make_shared<HelpFormat>());  // before subcommands, which inherit it
    app.set_help_flag("-h,--help", "print this text");
    app.set_version_flag("--version", fmt::format("hayate {} ({})", version(), revision()), "print the version and the git revision");
    run = add_all(app, subcommands);
    app.footer(exit_code_help());  // after subcommands, which inherit it
  }
};

void refuse_unknown(const std::string& kind, const std::string& word, const std::vector<std::string>& known, const std::string& where) {
  if (std::ranges::find(known, word) != known.end()) return;
  std::string meant = closest(word, known);
  refuse("there is no {} {}{}.{}", kind, word, where, meant.empty() ? "" : fmt::format(" Did you mean {}?", meant));
}

// CLI11 names one word of what it could not make sense of; here is said which word is none of ours, and what was perhaps meant.
void explain_unknown_words(const CommandLine& line, std::span<const char* const> words) {
  CommandDoc doc = describe(line.app);
  for (; !doc.commands.empty() && !words.empty() && !std::string_view(words[0]).starts_with('-'); words = words.subspan(1)) {
    refuse_unknown("subcommand", words[0], doc.words(), doc.name == "hayate" ? "" : " of " + doc.name);
    doc = CommandDoc(*std::ranges::find(doc.commands, std::string(words[0]), &CommandDoc::word));
  }
  std::vector<std::string> options = {"--help"};
  for (const OptionDoc& option : doc.options) options.insert(options.end(), option.names.begin(), option.names.end());
  for (std::string word : words) {
    if (word == "--") return;
    word = word.substr(0, word.find('='));
    if (word.starts_with("--")) refuse_unknown("option", word, options, " of " + doc.name);
  }
}

}  // namespace

std::function<int()> parse(int argc, const char* const* argv) {
  auto line = std::make_shared<CommandLine>();
  if (argc <= 1) return [line] { return print_result(short_help(describe(line->app))), exit_ok; };
  try {
    line->app.parse(argc, argv);
  } catch (const CLI::Success& help) {  // --help or --version
    std::ostringstream text;
    line->app.exit(help, text, text);
    return [text = text.str()] { return print_result(text), exit_ok; };
  } catch (const CLI::ParseError& error) {
    explain_unknown_words(*line, {argv + 1, size_t(argc - 1)});
    throw Error(ErrorKind::usage, error.what());
  }
  return [line] { return line->run(); };
}

}  // namespace hayate::cli
