// The subcommands. Each has a file of its own that declares its options and runs it.
#pragma once
#include <CLI/CLI.hpp>
#include <functional>

namespace hayate::cli {

struct Subcommand {
  CLI::App* app;
  std::function<int()> run;  // once the command line is parsed; returns the exit status
};

Subcommand add_generate(CLI::App&);
Subcommand add_compare(CLI::App&);
Subcommand add_inspect(CLI::App&);
Subcommand add_convert(CLI::App&);
Subcommand add_devices(CLI::App&);
Subcommand add_rungs(CLI::App&);
Subcommand add_schedulers(CLI::App&);
Subcommand add_bench(CLI::App&);
Subcommand add_bench_quality(CLI::App& bench);
Subcommand add_completion(CLI::App&);
Subcommand add_man(CLI::App&);

// In the order in which --help lists them.
constexpr Subcommand (*subcommands[])(CLI::App&) = {add_generate, add_compare, add_inspect,    add_convert,    add_bench,
                                                    add_devices,  add_rungs,   add_schedulers, add_completion, add_man};

}  // namespace hayate::cli
