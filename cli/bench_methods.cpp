// hayate bench methods: fewer steps, less work in some of them, and what that does to the picture.
#include <fmt/format.h>

#include <algorithm>

#include "bench_common.h"
#include "exit_code.h"
#include "hayate/quality.h"
#include "hayate/text_file.h"
#include "methods_report.h"
#include "output.h"
#include "repeated_runs.h"
#include "revision.h"
#include "subcommands.h"

namespace hayate::cli {

namespace {

// THE TABLE of methods. The first is what all are compared with.
struct Method {
  const char* name;
  const char* what;
  void (*apply)(Request&);
};
void few_steps(Request& r, const char* scheduler, int steps) {
  r.scheduler = scheduler, r.steps = steps;
  for (Picture& p : r.pictures) p.guidance = 1;
}
constexpr Method kMethods[] = {
    {"all-steps", "every step whole and guided", [](Request&) {}},
    {"dpmpp-half", "DPM-Solver++ 2M with Karras sigmas, half the steps",
     [](Request& r) { r.scheduler = "dpmpp_2m", r.spacing = "karras", r.steps = (r.steps + 1) / 2; }},
    {"guidance-0.6", "guidance in the first 0.6 of the steps", [](Request& r) { r.guidance_interval = {0, 0.6}; }},
    {"deepcache-2", "DeepCache, every second step whole", [](Request& r) { r.deepcache.interval = 2; }},
    {"deepcache-3", "DeepCache, every third", [](Request& r) { r.deepcache.interval = 3; }},
    {"deepcache-5", "DeepCache, every fifth", [](Request& r) { r.deepcache.interval = 5; }},
    {"deepcache-3-guidance-0.6", "both", [](Request& r) { r.deepcache.interval = 3, r.guidance_interval = {0, 0.6}; }},
    {"lcm-4", "4 steps of LCM; for a model or LoRA that is made for it", [](Request& r) { few_steps(r, "lcm", 4); }},
    {"turbo-1", "1 step without guidance; for SDXL Turbo", [](Request& r) { few_steps(r, "euler_ancestral", 1), r.spacing = "trailing"; }},
};

std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (const Method& m : kMethods) names.emplace_back(m.name);
  return names;
}

struct BenchMethodsCommand {
  BenchPicture picture;
  int warmups = 1, quality_prompts = 0;
  std::vector<std::string> methods, rungs;
  std::string json, csv, svg;
};

template <class Names>
bool chosen(const Names& names, const std::string& name) {
  return names.empty() || std::ranges::find(names, name) != names.end();
}

void write_report(const BenchMethodsCommand& command, const MethodsReport& report) {
  if (!command.json.empty()) write_text_file(command.json, methods_json(report));
  if (!command.csv.empty()) write_text_file(command.csv, methods_csv(report));
  if (!command.svg.empty()) write_text_file(command.svg, methods_svg(report));
}

Result reference_picture(const BenchMethodsCommand& command, MethodsReport& report) {
  Options options = command.picture.options;
  options.rung = "fp32";
  Pipeline pipeline(options);
  report.model = pipeline.model(), report.machine = pipeline.device();
  return pipeline.generate(request_of(command.picture));
}

MethodTimes measure(const BenchMethodsCommand& command, const Method& method, Pipeline& pipeline, const Options& options, const Result& reference) {
  Request request = request_of(command.picture);
  method.apply(request);
  const RepeatedRuns runs = repeat(pipeline, request, command.warmups, command.picture.runs);
  MethodTimes times{.method = method.name, .rung = pipeline.rung(), .steps = request.steps, .seconds = runs.median, .step = runs.step};
  times.latent_distance = latent_distance(runs.last.latents, reference.latents);
  times.picture_distance = picture_distance(runs.last.images[0], reference.images[0]);
  if (command.quality_prompts > 0) {
    QualityRequest quality{.prompts = command.quality_prompts, .settings = request, .guidance = request.pictures[0].guidance};
    times.attribute_score = measure_quality(options, quality).attributes.score;
  }
  return times;
}

int run(const BenchMethodsCommand& command) {
  for (const std::string& path : {command.json, command.csv, command.svg})
    if (!path.empty()) check_writable(path);
  MethodsReport report;
  report.version = version(), report.revision = revision();
  const Result reference = reference_picture(command, report);
  report.request = fmt::format("{}x{}, {} warm-ups, median of {} runs; distances to {} steps in fp32", reference.images[0].width, reference.images[0].height,
                               command.warmups, command.picture.runs, command.picture.request.steps);
  std::vector<std::string> rungs = command.rungs;
  if (rungs.empty()) rungs = {command.picture.options.rung};
  for (const std::string& rung : rungs) {
    Options options = command.picture.options;
    options.rung = rung;
    Pipeline pipeline(options);
    for (const Method& method : kMethods) {
      if (!chosen(command.methods, method.name)) continue;
      report.rows.push_back(measure(command, method, pipeline, options, reference));
      const MethodTimes& t = report.rows.back();
      print_note(fmt::format("{:<24} {:<12} {:.3f} s\n", t.method, t.rung, t.seconds));
      write_report(command, report);  // after each: a later one may fail
    }
  }
  print_result(methods_text(report));
  return exit_ok;
}

}  // namespace

Subcommand add_bench_methods(CLI::App& bench) {
  std::string methods = "Methods:\n";
  for (const Method& m : kMethods) methods += fmt::format("  {:<26}{}\n", m.name, m.what);
  CLI::App* app = declare(bench, "methods",
                          "Times the roads to fewer or cheaper steps, and tells how far from the picture of all steps they lead.\n\n"
                          "  hayate bench methods --quality 40 --svg methods.svg\n"
                          "  hayate bench methods --device cuda --random sdxl --methods all-steps --methods deepcache-3 --rungs projections --rungs fp8",
                          methods);
  auto command = std::make_shared<BenchMethodsCommand>();
  Table t{app, "Options"};
  add_bench_picture(t, command->picture);
  add_bench_runs(t, command->picture);
  t.number("--warmups", fmt::format("runs before that (default {})", command->warmups), command->warmups, 0, 1000);
  repeatable(t.choice("--methods", "only these; repeat for several", "all", method_names(), [command](const std::string& name) { command->methods.push_back(name); }));
  repeatable(t.text("--rungs", "NAME", "on these; repeat for several (default: that of --rung)", [command](const std::string& name) { command->rungs.push_back(name); }));
  t.number("--quality", "draw this many pictures of `hayate bench quality` too, for the attribute score (default 0)", command->quality_prompts, 0, 100000);
  t.text("--json", "FILE", "results as JSON", command->json);
  t.text("--csv", "FILE", "results as a table", command->csv);
  t.text("--svg", "FILE", "a chart", command->svg);
  return {app, [command] { return run(*command); }};
}

}  // namespace hayate::cli
