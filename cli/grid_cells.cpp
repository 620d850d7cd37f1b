// Command lines of cells, and THE TABLE of axes that are no flag of `hayate generate`.
#include "grid_cells.h"

#include <CLI/CLI.hpp>
#include <filesystem>

#include "command_doc.h"
#include "hayate/suggest.h"
#include "shared_options.h"

namespace hayate::cli {

namespace {

// The first value is what the prompts have, and the others take its place, as in AUTOMATIC1111's "Prompt S/R".
void replace_words(GenerateCommand& command, const Axis& axis, const std::string& value) {
  bool found = false;
  auto replace = [&](std::string& text) {
    for (size_t at = text.find(axis.values[0]); at != text.npos; at = text.find(axis.values[0], at + value.size())) {
      text.replace(at, axis.values[0].size(), value);
      found = true;
    }
  };
  if (axis.values[0].empty()) refuse("words: the first is what the prompt has, and is empty");
  Picture& picture = command.request.pictures[0];
  for (std::string* text : {&picture.prompt, &picture.negative_prompt}) replace(*text);
  for (std::optional<std::string>* text : {&picture.prompt_2, &picture.negative_prompt_2})
    if (*text) replace(**text);
  if (!found) refuse("words: no prompt has \"{}\", for which the others are put", axis.values[0]);
}

void weigh_loras(GenerateCommand& command, const Axis&, const std::string& value) {
  if (command.options.loras.empty()) refuse("lora-weight: there is no --lora");
  for (Lora& lora : command.options.loras) lora = {.path = lora.path, .weight = parse_number("lora-weight", value, -100.0f, 100.0f)};
}

struct OwnAxis {
  const char* name;
  const char* what;
  bool of_numbers;
  void (*apply)(GenerateCommand&, const Axis&, const std::string& value);
};
constexpr OwnAxis own_axes[] = {
    {"words", "what prompts have, then what to put there: words=day,night", false, replace_words},
    {"lora-weight", "of every --lora: lora-weight=0-1:0.25", true, weigh_loras},
};

const OwnAxis* own_axis(const std::string& name) {
  const auto found = std::ranges::find(own_axes, name, &OwnAxis::name);
  return found == std::end(own_axes) ? nullptr : found;
}

void add_cell_options(Table t, GenerateForm& form) {
  add_prompt(t, "", form);
  add_drawing(t, form);
}

// By name, without dashes.
template <class Form>
std::map<std::string, OptionDoc> options_of(void (*add)(Table, Form&)) {
  CLI::App app;
  app.set_help_flag();
  Form form;
  add({&app, "Options"}, form);
  std::map<std::string, OptionDoc> options;
  for (const OptionDoc& option : describe(app).options) {
    const std::string& name = option.names.back();  // the long one
    options[name.substr(std::min(name.find_first_not_of('-'), name.size()))] = option;
  }
  return options;
}

const std::map<std::string, OptionDoc>& flag_axes() {
  static const auto all = options_of(add_cell_options);
  return all;
}

void add_pipeline_options(Table t, Options& options) {
  add_model(t, options);
  add_machine(t, options);
}

// Whether another value needs another pipeline. LoRAs are changed on the one that there is.
bool chooses_pipeline(const std::string& axis) {
  static const auto all = options_of(add_pipeline_options);
  return axis != "lora" && all.contains(axis);
}

Axis read_axis(const std::string& option, const std::string& text) {
  if (text.empty()) return {.name = "", .values = {""}};
  const Axis axis = parse_axis(option, text);
  const OwnAxis* own = own_axis(axis.name);
  const auto flag = flag_axes().find(axis.name);
  if (!own && flag == flag_axes().end()) {
    std::vector<std::string> known;
    for (const auto& [name, doc] : flag_axes()) known.push_back(name);
    for (const OwnAxis& other : own_axes) known.emplace_back(other.name);
    const std::string meant = closest(axis.name, known);
    refuse("{}: there is no axis {}.{} An axis is a flag of hayate generate, or words, or lora-weight", option, axis.name,
           meant.empty() ? "" : fmt::format(" Did you mean {}?", meant));
  }
  return (own ? own->of_numbers : flag->second.placeholder.starts_with('N')) ? with_ranges(option, axis) : axis;
}

// Options with a value take a word for it, others are on or off.
void append(std::vector<std::string>& words, const std::string& name, const std::string& value) {
  const OptionDoc& option = flag_axes().at(name);
  if (option.positional) {
    words.insert(words.end(), {"--", value});
  } else if (option.takes_value()) {
    words.insert(words.end(), {"--" + name, value});
  } else {
    if (value != "on" && value != "off") refuse("--{}: expected on or off, got \"{}\"", name, value);
    if (value == "on") words.push_back("--" + name);
  }
}

GenerateCommand parse_cell(std::vector<std::string> words) {
  GenerateForm form;
  CLI::App app;
  add_cell_options({&app, "Options"}, form);
  std::ranges::reverse(words);  // as CLI11 wants them
  try {
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) { throw Error(ErrorKind::usage, error.what()); }
  return finish(std::move(form));
}

}  // namespace

std::string axes_help() {
  std::string text =
      "An axis is a flag of hayate generate, without the dashes, and values for it: steps=4,10,30 or seed=1-5 or strength=0.25-1:0.25, which counts "
      "up by "
      "0.25. A value with a comma stands in double quotes; a flag without a value is on or off. The prompt is an axis, too: prompt=\"a cat\",\"a "
      "dog\". "
      "Others:\n\n";
  for (const OwnAxis& axis : own_axes) text += fmt::format("  {:<13}{}\n", axis.name, axis.what);
  return text;
}

GridCells::GridCells(const CLI::App& grid, const std::string& x, const std::string& y) : axes_{read_axis("--x", x), read_axis("--y", y)} {
  if (x.empty() && y.empty()) refuse("no axis. Try: hayate grid \"a castle on a hill\" --x steps=4,10,30");
  if (axes_[0].name == axes_[1].name && axes_[0].name != "words") refuse("--x and --y are both {}", axes_[0].name);
  if (count() > most_cells) refuse("{} x {} pictures; at most {} are possible", axes_[0].values.size(), axes_[1].values.size(), most_cells);
  for (const auto& [name, doc] : flag_axes()) {
    const CLI::Option* option = grid.get_option(doc.names.back());
    if (option->count() == 0) continue;
    given_[name] = doc.positional || doc.takes_value() ? option->results() : std::vector<std::string>{"on"};
  }
}

GenerateCommand GridCells::command(size_t cell) const {
  const auto value = values(cell);
  auto options = given_;
  for (size_t i : {0, 1})
    if (flag_axes().contains(axes_[i].name)) options[axes_[i].name] = {value[i]};
  std::vector<std::string> words, prompt;
  for (const auto& [name, given] : options)
    for (const std::string& v : given) append(name == "prompt" ? prompt : words, name, v);
  words.insert(words.end(), prompt.begin(), prompt.end());  // last: what follows -- is no flag
  GenerateCommand command = parse_cell(std::move(words));
  if (command.request.pictures.size() != 1) refuse("--seed: given {} times; for one a column: --x seed=1,2", command.request.pictures.size());
  for (size_t i : {0, 1})
    if (const OwnAxis* own = own_axis(axes_[i].name)) own->apply(command, axes_[i], value[i]);
  return command;
}

std::string GridCells::pipeline(size_t cell) const {
  std::string key;
  const auto value = values(cell);
  for (size_t i : {0, 1})
    if (chooses_pipeline(axes_[i].name)) key += value[i] + '\n';
  return key;
}

std::string GridCells::name(size_t cell) const {
  std::string text;
  const auto value = values(cell);
  for (size_t i : {0, 1})
    if (!axes_[i].name.empty()) text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", axes_[i].name, value[i]);
  return text;
}

std::string label(const Axis& axis, const std::string& value) {
  if (axis.name.empty()) return "";
  if (axis.name == "words" || axis.name == "prompt") return value;
  const auto flag = flag_axes().find(axis.name);
  const bool is_path = flag != flag_axes().end() && flag->second.is_file;
  return fmt::format("{}: {}", axis.name, is_path ? std::filesystem::path(value).filename().string() : value);
}

}  // namespace hayate::cli
