// The program's own options, and the choice of the subcommand.
#include "command_line.h"

#include <sstream>

#include "exit_code.h"
#include "hayate/hayate.h"
#include "help_format.h"
#include "output.h"
#include "subcommands.h"

namespace hayate::cli {

std::function<int()> parse(int argc, const char* const* argv) {
  CLI::App app{"hayate draws pictures from text.\n\n  hayate generate \"a castle on a hill at night\"\n\nhayate SUBCOMMAND --help tells more.",
               "hayate"};
  app.formatter(std::make_shared<HelpFormat>());  // before subcommands, which inherit it
  app.set_version_flag("--version", "hayate " + version());
  app.require_subcommand(1);
  app.footer(exit_code_help());
  std::vector<Subcommand> all;
  for (auto add : subcommands) {
    all.push_back(add(app));
    all.back().app->get_help_ptr()->group("");  // who reads it has found it
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {  // --help or --version
    std::ostringstream text;
    app.exit(help, text, text);
    return [text = text.str()] { return print_result(text), exit_ok; };
  } catch (const CLI::ParseError& error) { throw Error(ErrorKind::usage, error.what()); }
  return std::ranges::find_if(all, [](const Subcommand& s) { return s.app->parsed(); })->run;
}

}  // namespace hayate::cli
