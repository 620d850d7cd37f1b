// Completion scripts and the man page: whatever --help names, they name; and bash does complete with its script.
#include <gtest/gtest.h>

#include <cstdio>
#include <regex>
#include <set>

#include "cli/run_program.h"
#include "core/scratch_folder.h"

namespace hayate {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string output_of(std::vector<std::string> arguments) {
  Outcome o = run_program(arguments);
  EXPECT_EQ(o.status, 0) << o.err;
  EXPECT_EQ(o.err, "");
  return o.out;
}

std::string shell(const std::string& command) {
  std::string text;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  char buffer[4096];
  for (size_t n; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, n);
  text += pclose(pipe) == 0 ? "" : "(failed)";
  return text;
}
bool is_installed(const std::string& program) { return shell("command -v " + program).starts_with('/'); }

std::set<std::string> matches(const std::string& text, const char* pattern) {
  std::set<std::string> all;
  std::regex re(pattern, std::regex::multiline);
  for (auto it = std::sregex_iterator(text.begin(), text.end(), re); it != std::sregex_iterator(); ++it) all.insert((*it)[1]);
  return all;
}

std::set<std::string> subcommands() {
  std::string help = output_of({"--help"});
  return matches(help.substr(help.find("\nSubcommands:")), "^  ([a-z]+) ");
}

TEST(Docs, NameEverythingThatHelpNames) {
  std::string man = output_of({"man"}), bash = output_of({"completion", "bash"}), zsh = output_of({"completion", "zsh"}),
              fish = output_of({"completion", "fish"});
  std::string plain_man = std::regex_replace(man, std::regex(R"(\\f[BIR]|\\)"), "");
  EXPECT_GE(subcommands().size(), 6u);
  EXPECT_TRUE(contains(plain_man, ".SS hayate bench quality\n") && contains(plain_man, "--reference-rung")) << plain_man;
  for (const std::string& command : subcommands()) {
    EXPECT_TRUE(contains(plain_man, ".SS hayate " + command + "\n")) << command;
    for (const std::string& script : {bash, zsh, fish}) EXPECT_TRUE(contains(script, command)) << command;
    for (const std::string& option : matches(output_of({command, "--help"}), "^  (?:-., )?(--[a-z0-9-]+)")) {
      EXPECT_TRUE(contains(plain_man, option)) << option;
      EXPECT_TRUE(contains(bash, option)) << option;
      EXPECT_TRUE(contains(zsh, ")" + option + "[")) << option;
      EXPECT_TRUE(contains(fish, "-n '__fish_seen_subcommand_from " + command + "'")) << command;
      EXPECT_TRUE(contains(fish, " -l " + option.substr(2) + " ")) << option;
    }
  }
}

TEST(Docs, OptionsOfNestedSubcommandsAreTheirOwn) {
  const std::string bash = output_of({"completion", "bash"}), zsh = output_of({"completion", "zsh"}), fish = output_of({"completion", "fish"});
  EXPECT_TRUE(contains(bash, "    bench/-*) _hayate_words \"--help\" ;;\n"));
  EXPECT_TRUE(contains(bash, "    bench_quality/--list) _hayate_paths; return ;;\n"));
  EXPECT_TRUE(contains(zsh, "      quality) _hayate_bench_quality ;;\n"));
  EXPECT_TRUE(contains(fish, "-n '__fish_seen_subcommand_from bench; and __fish_seen_subcommand_from quality' -l list -r -F "));
  EXPECT_FALSE(contains(fish, "-n '__fish_seen_subcommand_from bench' -l"));
  Outcome o = run_program({"bench", "quality", "--promts", "3"});
  EXPECT_TRUE(contains(o.err, "there is no option --promts of hayate bench quality. Did you mean --prompts?")) << o.err;
  o = run_program({"bench", "qualiti"});
  EXPECT_TRUE(contains(o.err, "there is no subcommand qualiti of hayate bench. Did you mean quality?")) << o.err;
}

TEST(Docs, ManPageHasNoWarnings) {
  if (!is_installed("man")) GTEST_SKIP() << "man is not installed";
  ScratchFolder scratch;
  std::string page = scratch.write("hayate.1", output_of({"man"}));
  EXPECT_EQ(shell("LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -l " + page + " >/dev/null"), "");
  std::string text = shell("LC_ALL=C.UTF-8 MANWIDTH=80 man -l " + page + " | col -b");
  for (const char* part : {"NAME\n", "SYNOPSIS\n", "EXIT STATUS\n", "--guidance-rescale N\n", "hayate generate \"a castle on a hill at night\""})
    EXPECT_TRUE(contains(text, part)) << part;
}

class BashCompletion : public testing::Test {
 protected:
  ScratchFolder scratch;

  // What bash offers for the last of these words.
  std::set<std::string> offered(const std::vector<std::string>& words) {
    std::string array;
    for (const std::string& word : words) array += " '" + word + "'";
    std::string script = output_of({"completion", "bash"}) + "\ncd " + (scratch / "") + "\nCOMP_WORDS=(hayate" + array +
                         ")\nCOMP_CWORD=" + std::to_string(words.size()) + "\n_hayate\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n";
    return matches(shell("bash " + scratch.write("script", script)), "^(.+)$");
  }
};

TEST_F(BashCompletion, Completes) {
  using Words = std::set<std::string>;
  scratch.write("a picture.png", "");
  EXPECT_EQ(offered({"ge"}), Words{"generate"});
  EXPECT_EQ(offered({"--v"}), Words{"--version"});
  EXPECT_EQ(offered({"generate", "--ste"}), Words{"--steps"});
  EXPECT_EQ(offered({"generate", "a castle", "--noise"}), (Words{"--noise", "--noise-batch"}));
  EXPECT_EQ(offered({"generate", "--rung", ""}), (Words{"fp32", "tf32", "bf16", "attention", "compile", "projections", "int8", "fp8", "auto"}));
  EXPECT_EQ(offered({"generate", "--rung", "b"}), Words{"bf16"});
  EXPECT_EQ(offered({"generate", "--seed", ""}), Words{});
  EXPECT_EQ(offered({"generate", "-o", "a"}), Words{"a picture.png"});
  EXPECT_EQ(offered({"inspect", "a"}), Words{"a picture.png"});
  EXPECT_EQ(offered({"completion", "z"}), Words{"zsh"});
  EXPECT_EQ(offered({"bench", "qual"}), Words{"quality"});
  EXPECT_EQ(offered({"bench", "-"}), Words{"--help"});
  EXPECT_EQ(offered({"bench", "quality", "--prom"}), Words{"--prompts"});
  EXPECT_EQ(offered({"bench", "quality", "--rung", "b"}), Words{"bf16"});
  EXPECT_EQ(offered({"bench", "quality", ""}), Words{});
  EXPECT_EQ(offered({"rungs", "--"}), Words({"--help", "--json"}));
  EXPECT_EQ(subcommands(), [&] {
    Words all = offered({""});
    for (const char* option : {"-h", "--help", "--version"}) all.erase(option);
    return all;
  }());
}

TEST(OtherShells, AcceptTheirScripts) {
  ScratchFolder scratch;
  for (const char* name : {"zsh", "fish"}) {
    std::string script = scratch.write(name, output_of({"completion", name}));
    if (!is_installed(name)) continue;
    EXPECT_EQ(shell(std::string(name) + " -n " + script), "");
  }
  if (!is_installed("fish")) return;
  auto offered = [&](const char* line) { return shell("fish -c 'source " + (scratch / "fish") + "; complete -C \"" + line + "\"'"); };
  EXPECT_TRUE(contains(offered("hayate generate --rung b"), "bf16\t"));
  EXPECT_TRUE(contains(offered("hayate bench "), "quality\t"));
  EXPECT_TRUE(contains(offered("hayate bench quality --prom"), "--prompts\t"));
  EXPECT_FALSE(contains(offered("hayate bench --prom"), "--prompts\t"));
}

}  // namespace
}  // namespace hayate
