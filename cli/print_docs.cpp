// hayate completion and hayate man: the command line in the words of shells and of man.
#include <memory>

#include "completion.h"
#include "exit_code.h"
#include "hayate/hayate.h"
#include "man_page.h"
#include "output.h"
#include "subcommands.h"
#include "table.h"

namespace hayate::cli {

Subcommand add_completion(CLI::App& app) {
  CLI::App* completion = declare(app, "completion",
                                 "Prints a completion script for a shell.\n\n"
                                 "  source <(hayate completion bash)                      # for this session\n"
                                 "  hayate completion fish > ~/.config/fish/completions/hayate.fish");
  auto shell = std::make_shared<std::string>();
  Table t{completion, "Options"};
  required(t.choice("SHELL", "which one", {"bash", "zsh", "fish"}, [=](const std::string& name) { *shell = name; }));
  return {completion, [shell, &app] {
            auto script = *shell == "bash" ? bash_completion : *shell == "zsh" ? zsh_completion : fish_completion;
            print_result(script(describe(app)));
            return exit_ok;
          }};
}

Subcommand add_man(CLI::App& app) {
  return {declare(app, "man", "Prints the man page: hayate man | man -l -"), [&app] {
            print_result(man_page(describe(app), version()));
            return exit_ok;
          }};
}

}  // namespace hayate::cli
