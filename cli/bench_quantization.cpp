// hayate bench quantization: what 8 bits do to each layer of a denoising step.
#include <fmt/format.h>

#include <memory>

#include "bench_common.h"
#include "exit_code.h"
#include "hayate/text_file.h"
#include "output.h"
#include "quantization_report.h"
#include "revision.h"
#include "subcommands.h"

namespace hayate::cli {

namespace {
struct BenchQuantizationCommand {
  BenchPicture picture;
  bool errors = false;
  std::string json, csv;
};

int run(const BenchQuantizationCommand& command) {
  for (const std::string& path : {command.json, command.csv})
    if (!path.empty()) check_writable(path);
  Pipeline pipeline(command.picture.options);
  const Request request = request_of(command.picture);
  QuantizationReport report;
  report.version = version(), report.revision = revision();
  report.machine = pipeline.device(), report.model = pipeline.model();
  report.dtype = command.picture.options.dtype.empty() ? "bf16" : command.picture.options.dtype;
  report.request =
      fmt::format("{}x{}", request.width ? request.width : pipeline.native_width(), request.height ? request.height : pipeline.native_height());
  if (command.errors) {
    report.request += fmt::format(", the middle one of {} steps", request.steps);
    report.errors = pipeline.quantization_errors(request);
  } else {
    report.linears = pipeline.measure_linears(request);
  }
  if (!command.json.empty()) write_text_file(command.json, quantization_json(report));
  if (!command.csv.empty()) write_text_file(command.csv, quantization_csv(report));
  print_result(quantization_text(report));
  return exit_ok;
}
}  // namespace

Subcommand add_bench_quantization(CLI::App& bench) {
  CLI::App* quantization =
      declare(bench, "quantization",
              "Shows what int8 and fp8 do to the layers of a denoising step.\n\n"
              "Without --errors a table of its linears by shape: the time of each in 16 and in 8 bits, what --quantize-layers chooses, "
              "and the error of the result for normal random input.\n\n"
              "  hayate bench quantization --device cuda --random sdxl --json layers.json\n"
              "  hayate bench quantization --errors --device reference --width 64 --height 64 --steps 4");
  auto command = std::make_shared<BenchQuantizationCommand>();
  Table t{quantization, "Options"};
  add_bench_picture(t, command->picture);
  t.flag("--errors", "instead, how far one call of the UNet is off when only layers of one kind are in 8 bits", command->errors);
  t.text("--json", "FILE", "results as JSON", command->json);
  t.text("--csv", "FILE", "results as a table", command->csv);
  return {quantization, [command] { return run(*command); }};
}

}  // namespace hayate::cli
