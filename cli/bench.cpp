// hayate bench: measurements, each a subcommand of its own.
#include "subcommands.h"

namespace hayate::cli {

Subcommand add_bench(CLI::App& app) {
  CLI::App* bench = declare(app, "bench", "Measures a model and a rung: see its subcommands.");
  constexpr AddSubcommand all[] = {add_bench_ladder, add_bench_methods, add_bench_ops, add_bench_quality, add_bench_quantization};
  return {bench, add_all(*bench, all)};
}

}  // namespace hayate::cli
