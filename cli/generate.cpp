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
  std::vector<std::string> files, infotext;  // of each picture
  int width, height;
  std::string rung;
  std::vector<std::string> warnings;
  size_t batches;
  int steps_done = 0;  // of each batch: fewer than asked for from a picture, more with a second pass
  Timings timings;  // of all batches together
};

// As many pictures at once as memory holds. Noise and dumps of a whole batch are not taken apart.
size_t pictures_at_once(const Request& all, Pipeline& pipeline) {
  if (all.shared_noise || !all.dump_file.empty()) return all.pictures.size();
  size_t count = std::min(all.pictures.size(), most_at_once);
  for (Request batch = all; count > 1; count = (count + 1) / 2) {
    batch.pictures.resize(count);
    if (pipeline.forecast(batch).fits()) break;
  }
  return count;
}

// Pictures of a batch have the same LoRAs in their prompts.
std::vector<Request> batches_of(const Request& all, Pipeline& pipeline) {
  const size_t at_once = pictures_at_once(all, pipeline);
  Request settings = all;
  settings.pictures = {};
  std::vector<Request> batches;
  std::vector<Lora> before;
  for (const Picture& picture : all.pictures) {
    std::vector<Lora> loras = pipeline.loras_of(picture, all.prompt_syntax);
    if (batches.empty() || batches.back().pictures.size() == at_once || loras != before) batches.push_back(settings);
    batches.back().pictures.push_back(picture);
    before = std::move(loras);
  }
  if (batches.size() > 1 && at_once == all.pictures.size() && at_once > 1 && (all.shared_noise || !all.dump_file.empty()))
    refuse("prompts with different LoRAs are drawn in batches of their own, which --noise-batch shared and --dump do not allow");
  return batches;
}

// Names and settings of all pictures. Whatever would keep one from being written is found before the first is drawn.
Outcome prepare(const GenerateCommand& command, const std::vector<Request>& batches, const Pipeline& pipeline) {
  const Request& request = command.request;
  const auto [width, height] = pipeline.picture_size(batches[0]);
  Outcome all{.files = {}, .infotext = {}, .width = width, .height = height, .rung = pipeline.rung(), .warnings = {}, .batches = batches.size(), .steps_done = 0, .timings = {}};
  all.files = output_names(command.output, request.pictures,
                           {.width = width, .height = height, .steps = request.steps, .model = pipeline.model(), .now = std::time(nullptr)});
  for (const Request& batch : batches)
    for (const std::string& infotext : pipeline.infotext(batch)) all.infotext.push_back(infotext);
  for (size_t i = 0; i < all.files.size(); ++i) {
    check_image(all.files[i], all.width, all.height, all.infotext[i]);
    check_writable(all.files[i]);
  }
  return all;
}

void add(Timings& sum, const Timings& t) {
  for (auto part : {&Timings::load, &Timings::compile, &Timings::text, &Timings::denoise, &Timings::decode, &Timings::total}) sum.*part += t.*part;
}

Outcome generate(const GenerateCommand& command, ProgressDisplay& display) {
  std::vector<std::string> warnings;
  Options options = command.options;
  options.warn = [&](const std::string& text) {
    display.message("warning: " + text);
    warnings.push_back(text);
  };
  if (!command.request.dump_file.empty()) check_writable(command.request.dump_file);
  display.phase("loading");
  Pipeline pipeline(options);
  std::vector<Request> batches = batches_of(command.request, pipeline);
  Outcome outcome = prepare(command, batches, pipeline);
  size_t written = 0;
  for (size_t i = 0; i < batches.size(); ++i) {
    batches[i].on_step = [&](const Progress& progress) {
      outcome.steps_done = progress.steps;
      display.step(int(i) * progress.steps + progress.step, int(batches.size()) * progress.steps);
      if (progress.step == progress.steps) display.phase("decoding");
      return !interrupted();
    };
    batches[i].on_decode = [&](int done, int all) {
      if (all > 1) display.phase(fmt::format("decoding {}%", 100 * done / all));
      return !interrupted();
    };
    const Result result = pipeline.generate(batches[i]);
    if (interrupted()) throw Error(ErrorKind::cancelled, "interrupted");  // while decoding
    for (const Image& image : result.images) {
      make_folder(outcome.files[written]);
      write_image(outcome.files[written], image, outcome.infotext[written], command.quality);
      if (!command.json) print_result(outcome.files[written] + "\n");
      ++written;
    }
    add(outcome.timings, result.timings);
  }
  outcome.warnings = std::move(warnings);
  return outcome;
}

std::string as_json(const GenerateCommand& command, const Outcome& outcome) {
  ordered_json pictures = ordered_json::array();
  for (size_t i = 0; i < outcome.files.size(); ++i) {
    const Picture& picture = command.request.pictures[i];
    pictures.push_back({{"file", outcome.files[i]},
                        {"prompt", picture.prompt},
                        {"seed", picture.seed},
                        {"width", outcome.width},
                        {"height", outcome.height},
                        {"infotext", outcome.infotext[i]}});
  }
  const Timings& t = outcome.timings;
  ordered_json seconds = {{"load", t.load},       {"compile", t.compile}, {"text", t.text},
                          {"denoise", t.denoise}, {"decode", t.decode},   {"total", t.total}};
  ordered_json all = {
      {"pictures", pictures}, {"rung", outcome.rung}, {"steps", command.request.steps}, {"seconds", seconds}, {"warnings", outcome.warnings}};
  return json_text(all);
}

std::string timing_report(const GenerateCommand& command, const Outcome& outcome) {
  const Timings& t = outcome.timings;
  const int steps = command.request.steps;
  return fmt::format(
      "{}x{}, {} steps, rung {}: load {:.2f} s, compile {:.2f} s, text {:.2f} s, denoise {:.2f} s ({}), decode {:.2f} s, total {:.2f} s",
      outcome.width, outcome.height, steps, outcome.rung, t.load, t.compile, t.text, t.denoise, speed(double(outcome.batches) * outcome.steps_done / t.denoise),
      t.decode, t.total);
}

int run(const GenerateCommand& command) {
  ProgressDisplay display(!command.quiet && !command.json);
  Outcome outcome = generate(command, display);
  display.message(timing_report(command, outcome));
  if (command.json) print_result(as_json(command, outcome));
  return exit_ok;
}

}  // namespace

Subcommand add_generate(CLI::App& app) {
  CLI::App* generate = declare(app, "generate",
                               "Draws a picture from a prompt.\n\n"
                               "  hayate generate \"a castle on a hill at night\"\n"
                               "  hayate generate \"a lighthouse at dusk\" -m path/to/sdxl -o dusk.webp --seed 7\n"
                               "  hayate generate \"a red castle\" \"a blue castle\" --batch 2   # four pictures\n"
                               "  hayate generate \"a tree\" --seed 1 --seed 2 -o \"{prompt:20}-{seed}.jpg\"",
                               "The same seed, prompt and settings draw the same picture. Names of written files go to standard output, all else to "
                               "standard error.\n\n" +
                                   exit_code_help());
  auto form = std::make_shared<GenerateForm>();
  add_options({generate, ""}, *form);
  return {generate, [form] { return run(finish(*form)); }};
}

}  // namespace hayate::cli
