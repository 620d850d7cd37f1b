// hayate generate: run the request, write the pictures, report.
#include <fmt/format.h>

#include <ctime>
#include <nlohmann/json.hpp>

#include "exit_code.h"
#include "generate_options.h"
#include "interrupt.h"
#include "output.h"
#include "output_names.h"
#include "progress.h"
#include "subcommands.h"
#include "text_table.h"

namespace hayate::cli {

namespace {

using nlohmann::ordered_json;

struct Outcome {
  std::vector<std::string> files;
  Result result;
  std::string rung;
  std::vector<std::string> warnings;
};

std::vector<std::string> names_of(const GenerateCommand& command, const Pipeline& pipeline) {
  const Request& request = command.request;
  std::vector<std::string> names = output_names(command.output, request.pictures,
                                                {.width = request.width ? request.width : pipeline.native_width(),
                                                 .height = request.height ? request.height : pipeline.native_height(),
                                                 .steps = request.steps,
                                                 .model = pipeline.model(),
                                                 .now = std::time(nullptr)});
  for (const std::string& name : names) check_writable(name);
  return names;
}

Outcome generate(const GenerateCommand& command, ProgressDisplay& display) {
  std::vector<std::string> warnings;
  Options options = command.options;
  options.warn = [&](const std::string& text) {
    display.message("warning: " + text);
    warnings.push_back(text);
  };
  Request request = command.request;
  request.on_step = [&](const Progress& progress) {
    display.step(progress.step, progress.steps);
    if (progress.step == progress.steps) display.phase("decoding");
    return !interrupted();
  };
  if (!request.dump_file.empty()) check_writable(request.dump_file);
  display.phase("loading");
  Pipeline pipeline(options);
  std::vector<std::string> files = names_of(command, pipeline);
  Result result = pipeline.generate(request);
  if (interrupted()) throw Error(ErrorKind::cancelled, "interrupted");  // while decoding
  for (size_t i = 0; i < files.size(); ++i) {
    make_folder(files[i]);
    write_image(files[i], result.images[i], result.infotext[i], command.quality);
  }
  return {std::move(files), std::move(result), pipeline.rung(), std::move(warnings)};
}

std::string as_json(const GenerateCommand& command, const Outcome& outcome) {
  ordered_json pictures = ordered_json::array();
  for (size_t i = 0; i < outcome.files.size(); ++i) {
    const Picture& picture = command.request.pictures[i];
    const Image& image = outcome.result.images[i];
    pictures.push_back({{"file", outcome.files[i]},
                        {"prompt", picture.prompt},
                        {"seed", picture.seed},
                        {"width", image.width},
                        {"height", image.height},
                        {"infotext", outcome.result.infotext[i]}});
  }
  const Timings& t = outcome.result.timings;
  ordered_json seconds = {{"load", t.load},       {"compile", t.compile}, {"text", t.text},
                          {"denoise", t.denoise}, {"decode", t.decode},   {"total", t.total}};
  ordered_json all = {
      {"pictures", pictures}, {"rung", outcome.rung}, {"steps", command.request.steps}, {"seconds", seconds}, {"warnings", outcome.warnings}};
  return json_text(all);
}

std::string timing_report(const GenerateCommand& command, const Outcome& outcome) {
  const Timings& t = outcome.result.timings;
  const Image& image = outcome.result.images[0];
  return fmt::format(
      "{}x{}, {} steps, rung {}: load {:.2f} s, compile {:.2f} s, text {:.2f} s, denoise {:.2f} s ({}), decode {:.2f} s, total {:.2f} s", image.width,
      image.height, command.request.steps, outcome.rung, t.load, t.compile, t.text, t.denoise, speed(command.request.steps / t.denoise), t.decode,
      t.total);
}

int run(const GenerateCommand& command) {
  ProgressDisplay display(!command.quiet && !command.json);
  Outcome outcome = generate(command, display);
  display.message(timing_report(command, outcome));
  print_result(command.json ? as_json(command, outcome) : fmt::format("{}\n", fmt::join(outcome.files, "\n")));
  return exit_ok;
}

}  // namespace

Subcommand add_generate(CLI::App& app) {
  CLI::App* generate = app.add_subcommand("generate",
                                          "Draws a picture from a prompt.\n\n"
                                          "  hayate generate \"a castle on a hill at night\"\n"
                                          "  hayate generate \"a lighthouse at dusk\" -m path/to/sdxl -o dusk.webp --seed 7\n"
                                          "  hayate generate \"a red castle\" \"a blue castle\" --batch 2   # four pictures\n"
                                          "  hayate generate \"a tree\" --seed 1 --seed 2 -o \"{prompt:20}-{seed}.jpg\"");
  generate->footer(
      "The same seed, prompt and settings draw the same picture. Names of written files go to standard output, all else to "
      "standard error.\n\n" +
      exit_code_help());
  auto form = std::make_shared<GenerateForm>();
  add_options({generate, ""}, *form);
  return {generate, [form] { return run(finish(*form)); }};
}

}  // namespace hayate::cli
