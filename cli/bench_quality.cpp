// hayate bench quality: do pictures show what their prompts ask for?
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "exit_code.h"
#include "hayate/quality.h"
#include "interrupt.h"
#include "output.h"
#include "progress.h"
#include "shared_options.h"
#include "subcommands.h"

namespace hayate::cli {

namespace {

using nlohmann::ordered_json;

struct BenchQualityCommand {
  Options options;
  QualityRequest request;
  bool json = false, quiet = false;
};

ordered_json as_json(const AttributeScore& s) { return {{"score", s.score}, {"low", s.low}, {"high", s.high}, {"asked", s.asked}}; }

std::string as_json(const QualityReport& report) {
  ordered_json groups = ordered_json::object();
  for (const auto& [name, score] : report.groups) groups[name] = as_json(score);
  ordered_json all = {{"attribute_score", report.attributes.score},
                      {"attribute_score_low", report.attributes.low},
                      {"attribute_score_high", report.attributes.high},
                      {"attributes_asked", report.attributes.asked},
                      {"groups", groups},
                      {"pictures", report.pictures},
                      {"rung", report.rung},
                      {"seconds_per_picture", report.seconds_per_picture}};
  if (const auto& d = report.to_reference)  // an infinite PSNR becomes null
    all["to_reference"] = {{"psnr", d->psnr}, {"ssim", d->ssim}, {"identical", d->identical}};
  return all.dump(2) + "\n";
}

std::string as_text(const QualityReport& report, const std::string& reference) {
  auto row = [](const std::string& name, const AttributeScore& s) {
    return fmt::format("{:<20} {:>6.1f} %   {:>5.1f} .. {:>5.1f}   {:>6}\n", name, 100 * s.score, 100 * s.low, 100 * s.high, s.asked);
  };
  std::string text = fmt::format("{:<20} {:>8}   {:>14}   {:>6}\n", "attributes right", "score", "95 % interval", "asked");
  for (const auto& [name, score] : report.groups) text += row(name, score);
  text += row("all", report.attributes);
  text += fmt::format("\n{} pictures at rung {}, {:.2f} s each (median)\n", report.pictures, report.rung, report.seconds_per_picture);
  if (const auto& d = report.to_reference)
    text += fmt::format("against {}: PSNR {}, SSIM {:.4f}, {} of {} pictures identical\n", reference,
                        std::isinf(d->psnr) ? "infinite" : fmt::format("{:.1f} dB", d->psnr), d->ssim, d->identical, report.pictures);
  return text;
}

int run(const BenchQualityCommand& command) {
  ProgressDisplay display(!command.quiet && !command.json);
  display.phase("loading");
  QualityRequest request = command.request;
  request.on_picture = [&](int done, int total) {
    display.step(done, total);
    return !interrupted();
  };
  QualityReport report = measure_quality(command.options, request);
  print_result(command.json ? as_json(report) : as_text(report, request.reference_rung));
  return exit_ok;
}

}  // namespace

Subcommand add_bench_quality(CLI::App& bench) {
  CLI::App* quality =
      declare(bench, "quality",
              "Counts how many of the attributes that prompts ask for are in the pictures.\n\n"
              "A small network reads them: time of day, weather, objects, style and so on. It knows the world of the built-in model.\n\n"
              "  hayate bench quality\n"
              "  hayate bench quality --prompts 100 --rung bf16 --reference-rung fp32 --json");
  auto command = std::make_shared<BenchQualityCommand>();
  Table table{quality, "What to measure"};
  QualityRequest& request = command->request;
  table.number("--prompts", fmt::format("as many from the head of the list (default {})", request.prompts), request.prompts, 1, 100000);
  table.text("--list", "FOLDER", "prompts.json, attributes.json, attributes.safetensors (default: the installed ones)", request.list);
  table.choice("--reference-rung", "draw with this rung too, for PSNR and SSIM", "none", rung_names(),
               [&request](const std::string& name) { request.reference_rung = name; });
  add_model(table, command->options);
  add_machine(table, command->options);
  table.group = "How to draw";
  table.number("--steps", fmt::format("denoising steps (default {})", request.settings.steps), request.settings.steps, 1, 1000);
  table.number("--guidance", fmt::format("classifier-free guidance scale (default {})", request.guidance), request.guidance, 0.0f, 100.0f);
  add_sampler(table, request.settings);
  table.number("--batch", fmt::format("pictures drawn together (default {})", request.batch), request.batch, 1, 64);
  table.group = "Output";
  add_json(table, "print one JSON object, and no progress", command->json);
  table.flag("--quiet", "no progress", command->quiet);
  return {quality, [command] { return run(*command); }};
}

}  // namespace hayate::cli
