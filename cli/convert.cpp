// hayate convert: a model in another layout.
#include <fmt/format.h>

#include <memory>

#include "exit_code.h"
#include "hayate/byte_size.h"
#include "hayate/hayate.h"
#include "hub_cache.h"
#include "interrupt.h"
#include "output.h"
#include "progress.h"
#include "shared_options.h"
#include "subcommands.h"
#include "text_table.h"

namespace hayate::cli {

namespace {

struct ConvertCommand {
  Options options;
  std::string output, dtype;
  bool json = false;
};

int run(const ConvertCommand& command) {
  {
    ProgressDisplay display(!command.json);
    display.phase("reading");
    convert_model(command.options, command.output, command.dtype, [&](int64_t done, int64_t total) {
      display.phase(fmt::format("writing: {} of {}", size_text(done), size_text(total)));
      return !interrupted();
    });
  }
  print_result(command.json ? json_text({{"output", command.output}}) : command.output + "\n");
  return exit_ok;
}

}  // namespace

Subcommand add_convert(CLI::App& app) {
  CLI::App* convert = declare(app, "convert",
                              "Writes a model as one file or as a diffusers folder.\n\n"
                              "Nothing is replaced: OUTPUT must not exist. A file has the original names.\n\n"
                              "  hayate convert path/to/sdxl sdxl.safetensors\n"
                              "  hayate convert sdxl.safetensors sdxl --vae vae.safetensors\n"
                              "  hayate convert path/to/sdxl sdxl-bf16.safetensors --dtype bf16");
  auto command = std::make_shared<ConvertCommand>();
  Table t{convert, "Options"};
  required(t.text("MODEL", "", "folder, .safetensors file, or org/name in the Hugging Face cache", command->options.model));
  required(t.text("OUTPUT", "", "a name that ends in .safetensors, or the name of a folder", command->output));
  t.choice("--dtype", "element type of all weights", "as they are stored", {"f16", "bf16", "f32"},
           [=](const std::string& name) { command->dtype = name; });
  add_json(t, "print one JSON object", command->json);
  add_replacements(t, command->options);
  command->options.hub_cache = hub_cache();
  return {convert, [=] { return run(*command); }};
}

}  // namespace hayate::cli
