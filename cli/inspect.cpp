// hayate inspect: what a model, a file of tensors or a picture is.
#include "hayate/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "exit_code.h"
#include "hayate/byte_size.h"
#include "hub_cache.h"
#include "output.h"
#include "shared_options.h"
#include "subcommands.h"
#include "text_table.h"

namespace hayate::cli {

namespace {

using nlohmann::ordered_json;

struct InspectCommand {
  Options options;                         // the model's path: whatever is inspected
  std::optional<std::array<int, 2>> size;  // width, height of the pictures whose memory is forecast
  int batch = 1;
  bool tensors = false, json = false;
};

// "3.47 billion", "123 million", "512"
std::string count_text(int64_t n) {
  if (n >= 1000000000) return fmt::format("{:.2f} billion", double(n) / 1e9);
  if (n >= 1000000) return fmt::format("{:.1f} million", double(n) / 1e6);
  return fmt::to_string(n);
}

std::string types_of(const ComponentInfo& component) {
  std::vector<std::string> names;
  for (const auto& [dtype, count] : component.parameters_by_dtype) names.push_back(dtype);
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string as_text(const ModelInfo& model) {
  TextTable facts;
  facts.add({"family", model.family});
  facts.add({"size", fmt::format("{}x{}", model.width, model.height)});
  facts.add({"scheduler", fmt::format("{}, {} prediction", model.scheduler, model.prediction)});
  facts.add({"on disk", fmt::format("{} in {}", size_text(model.bytes), model.path)});
  TextTable components;
  components.add({"component", "parameters", "type"});
  int64_t total = 0;
  for (const ComponentInfo& c : model.components) {
    components.add({c.name, count_text(c.parameters), types_of(c)});
    total += c.parameters;
  }
  components.add({"all", count_text(total), ""});
  return fmt::format("{}\n\n{}\n{}", model.name, facts.text(), components.text());
}

ordered_json as_json(const ModelInfo& model) {
  ordered_json components = ordered_json::array();
  for (const ComponentInfo& c : model.components)
    components.push_back({{"name", c.name}, {"parameters", c.parameters}, {"parameters_by_dtype", c.parameters_by_dtype}});
  return {{"kind", "model"},          {"name", model.name},     {"path", model.path},           {"family", model.family},
          {"width", model.width},     {"height", model.height}, {"scheduler", model.scheduler}, {"prediction", model.prediction},
          {"components", components}, {"bytes", model.bytes}};
}

std::string as_text(const TensorFileInfo& file) {
  TextTable tensors;
  int64_t parameters = 0;
  for (const TensorSummary& t : file.tensors) {
    int64_t count = 1;
    for (int64_t dim : t.shape) count *= dim;  // cannot overflow: the file was checked
    parameters += count;
    tensors.add({t.name, t.dtype, fmt::format("({})", fmt::join(t.shape, ", ")), size_text(t.bytes)});
  }
  TextTable metadata;
  for (const auto& [key, value] : file.metadata) metadata.add({key, one_line(value, 200)});
  return fmt::format("{}{}{}{} tensors, {} numbers, {}\n", metadata.text(), file.metadata.empty() ? "" : "\n", tensors.text(), file.tensors.size(),
                     count_text(parameters), size_text(file.bytes));
}

ordered_json as_json(const TensorFileInfo& file) {
  ordered_json tensors = ordered_json::array();
  for (const TensorSummary& t : file.tensors) tensors.push_back({{"name", t.name}, {"dtype", t.dtype}, {"shape", t.shape}, {"bytes", t.bytes}});
  return {{"kind", "tensors"}, {"metadata", file.metadata}, {"tensors", tensors}, {"bytes", file.bytes}};
}

std::string as_text(const ImageFile& file) {
  TextTable facts;
  facts.add({"picture", fmt::format("{}, {}x{}", file.format, file.image.width, file.image.height)});
  const Infotext info = parse_infotext(file.infotext);
  if (!file.infotext.empty()) facts.add({"prompt", info.prompt});
  if (!info.negative_prompt.empty()) facts.add({"negative prompt", info.negative_prompt});
  for (const auto& [name, value] : info.settings) facts.add({name, value});
  return facts.text();
}

ordered_json as_json(const ImageFile& file) {
  ordered_json all = {{"kind", "picture"}, {"format", file.format}, {"width", file.image.width}, {"height", file.image.height}};
  if (file.infotext.empty()) return all;
  const Infotext info = parse_infotext(file.infotext);
  ordered_json settings = ordered_json::object();
  for (const auto& [name, value] : info.settings) settings[name] = value;
  all.update({{"infotext", file.infotext}, {"prompt", info.prompt}, {"negative_prompt", info.negative_prompt}, {"settings", settings}});
  return all;
}

template <class Info>
int show(const InspectCommand& command, const Info& info) {
  print_result(command.json ? json_text(as_json(info)) : as_text(info));
  return exit_ok;
}

std::string as_text(const MemoryForecast& forecast) {
  TextTable stages;
  stages.add({"memory", "weights", "at most"});
  for (const MemoryStage& stage : forecast.stages) stages.add({stage.name, size_text(stage.weights), size_text(stage.peak)});
  std::string text = fmt::format("{}\npeak {} of {}, which {}\n", stages.text(), size_text(forecast.peak), size_text(forecast.budget),
                                 forecast.fits() ? "fits" : "does not fit");
  if (forecast.originals > 0)
    text += fmt::format("tensors under LoRAs {}, of which {} stay on the GPU and {} on the host once LoRAs change; the rest is read again\n",
                        size_text(forecast.originals), size_text(forecast.originals_on_device), size_text(forecast.originals_on_host));
  for (const std::string& change : forecast.would_fit) text += fmt::format("would fit: {}\n", change);
  return text;
}

ordered_json as_json(const MemoryForecast& forecast) {
  ordered_json stages = ordered_json::array();
  for (const MemoryStage& stage : forecast.stages) stages.push_back({{"name", stage.name}, {"weights", stage.weights}, {"peak", stage.peak}});
  const ordered_json originals = {{"bytes", forecast.originals}, {"on_device", forecast.originals_on_device}, {"on_host", forecast.originals_on_host}};
  return {{"stages", stages},          {"process", forecast.process}, {"peak", forecast.peak},           {"budget", forecast.budget},
          {"fits", forecast.fits()},   {"originals", originals},      {"would_fit", forecast.would_fit}};
}

int show_model(const InspectCommand& command, const ModelInfo& model) {
  std::string text = as_text(model);
  ordered_json json = as_json(model);
  if (command.size) {
    Request request{.pictures = std::vector<Picture>(size_t(command.batch)), .width = (*command.size)[0], .height = (*command.size)[1]};
    Pipeline pipeline(command.options);
    const MemoryForecast forecast = pipeline.forecast(request);
    text += "\n" + as_text(forecast);
    json["rung"] = pipeline.rung();
    json["forecast"] = as_json(forecast);
  }
  print_result(command.json ? json_text(json) : text);
  return exit_ok;
}

// A checkpoint in one file is a model, too.
std::optional<ModelInfo> as_model(const Options& options) {
  try {
    return inspect_model(options);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::bad_model || error.kind() == ErrorKind::unsupported) return std::nullopt;
    throw;
  }
}

int run(const InspectCommand& command) {
  const std::string& path = command.options.model;
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return show_model(command, inspect_model(command.options));
  if (is_image_file(path)) return show(command, read_image(path));
  const TensorFileInfo file = inspect_safetensors(path);
  if (!command.tensors)
    if (std::optional<ModelInfo> model = as_model(command.options)) return show_model(command, *model);
  show(command, file);
  auto strange = std::ranges::find(file.tensors, false, &TensorSummary::supported);
  if (strange == file.tensors.end()) return exit_ok;
  throw Error(ErrorKind::unsupported, fmt::format("{}: tensor {} is {}, which hayate cannot compute with", path, strange->name, strange->dtype));
}

}  // namespace

Subcommand add_inspect(CLI::App& app) {
  CLI::App* inspect = declare(app, "inspect",
                              "Tells what a model, a .safetensors file or a picture is.\n\n"
                              "Of a model its family, parts and size; of a .safetensors file every tensor, and whether the file is "
                              "sound; of a picture the settings that it was drawn with.\n\n"
                              "  hayate inspect path/to/sdxl\n"
                              "  hayate inspect path/to/sdxl --size 1024x1024 --rung bf16\n"
                              "  hayate inspect lora.safetensors\n"
                              "  hayate inspect hayate.png --json");
  auto command = std::make_shared<InspectCommand>();
  Table t{inspect, "Options"};
  required(t.text("PATH", "", "folder, .safetensors file or picture", [command](const std::string& path) {
    if (path.empty()) refuse("PATH: expected a file or folder, got \"\"");
    command->options.model = path;
  }));
  t.flag("--tensors", "list the tensors of a checkpoint, too", command->tensors);
  add_json(t, "print one JSON object", command->json);
  t.group = "Memory that a model would take";
  t.text("--size", "WxH", "of the pictures; with it the memory is forecast",
         [command](const std::string& given) { command->size = parse_pair("--size", given, 'x', "WIDTHxHEIGHT as in 1024x768", 1); });
  t.number("--batch", "pictures drawn together (default 1)", command->batch, 1, 64);
  add_machine(t, command->options);
  t.group = "Parts of a model";
  add_replacements(t, command->options);
  command->options.hub_cache = hub_cache();
  return {inspect, [command] { return run(*command); }};
}

}  // namespace hayate::cli
