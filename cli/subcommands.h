// The subcommands. Each has a file of its own that declares its options and runs it.
#pragma once
#include <functional>
#include <span>
#include <string>

namespace CLI {
class App;
}

namespace hayate::cli {

struct Subcommand {
  CLI::App* app;
  std::function<int()> run;  // once the command line is parsed; returns the exit status
};

// A subcommand to be. The first line of the description is its summary; the footer follows its options.
CLI::App* declare(CLI::App& parent, const std::string& name, const std::string& description, const std::string& footer = "");

// Adds subcommands to one of which each command line has to come; the result runs it.
using AddSubcommand = Subcommand (*)(CLI::App&);
std::function<int()> add_all(CLI::App& parent, std::span<const AddSubcommand> all);

Subcommand add_generate(CLI::App&);
Subcommand add_grid(CLI::App&);
Subcommand add_serve(CLI::App&);
Subcommand add_compare(CLI::App&);
Subcommand add_inspect(CLI::App&);
Subcommand add_convert(CLI::App&);
Subcommand add_devices(CLI::App&);
Subcommand add_rungs(CLI::App&);
Subcommand add_schedulers(CLI::App&);
Subcommand add_spacings(CLI::App&);
Subcommand add_bench(CLI::App&);
Subcommand add_bench_ladder(CLI::App& bench);
Subcommand add_bench_methods(CLI::App& bench);
Subcommand add_bench_ops(CLI::App& bench);
Subcommand add_bench_quality(CLI::App& bench);
Subcommand add_bench_quantization(CLI::App& bench);
Subcommand add_completion(CLI::App&);
Subcommand add_man(CLI::App&);

// In the order in which --help lists them.
constexpr AddSubcommand subcommands[] = {add_generate, add_grid,    add_serve, add_compare,    add_inspect,  add_convert,
                                         add_bench,    add_devices, add_rungs, add_schedulers, add_spacings, add_completion,
                                         add_man};

}  // namespace hayate::cli
