// One home for each option that several subcommands have.
#include "shared_options.h"

namespace hayate::cli {

namespace {

std::vector<std::string> rung_names() {
  std::vector<std::string> names;
  for (const RungInfo& rung : rungs()) names.push_back(rung.name);
  return names;
}

}  // namespace

void add_model(Table t, Options& options) {
  t.text("-m,--model", "FOLDER", "model in diffusers' folder layout (default: the built-in model)", [&](const std::string& given) {
    if (given.empty()) refuse("--model: expected a folder, got \"\"");
    options.model = given;
  });
}

void add_machine(Table t, Options& options) {
  t.choice("--rung", "see `hayate rungs`", "the fastest", rung_names(), [&](const std::string& name) { options.rung = name; });
  t.text("--device", "NAME", fmt::format("cpu, or reference: slow and plain (default {})", options.device), options.device);
}

void add_size(Table t, int& width, int& height) {
  t.number("-W,--width", "pixels, a multiple of 8 (default: the model's own)", width, 8, largest_side);
  t.number("-H,--height", "pixels, a multiple of 8 (default: the model's own)", height, 8, largest_side);
}

void add_json(Table t, const std::string& help, bool& json) { t.flag("--json", help, json); }

}  // namespace hayate::cli
