// hayate bench ladder: the time of a picture on every rung.
#include <fmt/format.h>

#include <memory>

#include "bench_common.h"
#include "exit_code.h"
#include "hayate/text_file.h"
#include "ladder_report.h"
#include "output.h"
#include "repeated_runs.h"
#include "revision.h"
#include "subcommands.h"

namespace hayate::cli {

namespace {
struct BenchLadderCommand {
  BenchPicture picture;
  int warmups = 3;
  std::vector<std::string> rungs;
  std::string json, csv, svg;
};

RungTimes measure(const BenchLadderCommand& command, const std::string& rung, LadderReport& report, Result& first) {
  Options options = command.picture.options;
  options.rung = rung;
  Pipeline pipeline(options);
  report.model = pipeline.model();
  report.machine = pipeline.device();
  Request request = request_of(command.picture);
  RungTimes times;
  times.rung = rung, times.steps = request.steps;
  times.ceilings = pipeline.measure_ceilings(), times.floor = pipeline.step_floor(request, times.ceilings);
  const RepeatedRuns runs = repeat(pipeline, request, command.warmups, command.picture.runs);
  times.warmups = runs.warmups, times.runs = runs.runs, times.first = runs.first, times.median = runs.median, times.least = runs.least, times.most = runs.most;
  times.step = runs.step, times.text = runs.text, times.decode = runs.decode;
  times.work = runs.last.work, times.peak_memory = runs.last.peak_memory;
  if (first.images.empty()) first = runs.last;
  times.latent_distance = latent_distance(runs.last.latents, first.latents);
  times.picture_distance = picture_distance(runs.last.images[0], first.images[0]);
  return times;
}

void write_report(const BenchLadderCommand& command, const LadderReport& report) {
  if (!command.json.empty()) write_text_file(command.json, ladder_json(report));
  if (!command.csv.empty()) write_text_file(command.csv, ladder_csv(report));
  if (!command.svg.empty()) write_text_file(command.svg, ladder_svg(report));
}

int run(const BenchLadderCommand& command) {
  for (const std::string& path : {command.json, command.csv, command.svg})
    if (!path.empty()) check_writable(path);
  LadderReport report;
  report.version = version(), report.revision = revision();
  Result first;
  std::vector<std::string> names = command.rungs;
  if (names.empty())
    for (const RungInfo& r : rungs(command.picture.options.device)) names.push_back(r.name);
  for (const std::string& rung : names) {
    report.rungs.push_back(measure(command, rung, report, first));
    const RungTimes& t = report.rungs.back();
    report.request = fmt::format("{}x{}, {} steps, {} warm-ups, median of {} runs", first.images[0].width, first.images[0].height, t.steps,
                                 command.warmups, command.picture.runs);
    print_note(fmt::format("{:<12} {:.3f} s, {:.2f} ms a step\n", rung, t.median, t.step * 1e3));
    write_report(command, report);  // after each rung: a later one may fail
  }
  print_result(ladder_text(report));
  return exit_ok;
}

}  // namespace

Subcommand add_bench_ladder(CLI::App& bench) {
  CLI::App* ladder = declare(bench, "ladder",
                             "Times a picture on every rung, prompt to pixels. A rung that takes over five seconds runs twice after one warm-up.\n\n"
                             "  hayate bench ladder --device cuda --random sdxl --json ladder.json --svg ladder.svg");
  auto command = std::make_shared<BenchLadderCommand>();
  Table t{ladder, "Options"};
  add_bench_picture(t, command->picture);
  add_bench_runs(t, command->picture);
  t.number("--warmups", fmt::format("runs before that (default {})", command->warmups), command->warmups, 0, 1000);
  repeatable(t.text("--rungs", "NAME", "only these; repeat for several (default: all that the device has)",
                    [command](const std::string& name) { command->rungs.push_back(name); }));
  t.text("--json", "FILE", "results as JSON", command->json);
  t.text("--csv", "FILE", "results as a table", command->csv);
  t.text("--svg", "FILE", "a chart", command->svg);
  return {ladder, [command] { return run(*command); }};
}

}  // namespace hayate::cli
